import { maxPkgId, type RequestFrame } from './frame.ts'

/**
 * The envelope as `JSON.stringify` writes it, up to the brace that opens `data`. Sticky, since a match then leaves its end in
 * `lastIndex`: `exec` would make an array of it, at 25 ns.
 */
const usualEnvelope =
  /\{"pkg_id":[1-9]\d{0,9},"req_id":"[\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}",(?:"method":(?:""|null),)?"data":(?=\{)/y

const pkgIdAt = '{"pkg_id":'.length
const reqIdAfterComma = ',"req_id":"'.length
const uuidLength = 36

/**
 * Reads a package whose text is of the form that every client of ours writes: `pkg_id`, `req_id`, an empty `method` or none, `data`,
 * in this order and without spaces. Null for anything else, good or bad: the parser of whole frames says which. What it reads, that
 * parser reads as the same.
 *
 * The envelope is matched and checked by one expression and only `data` is parsed, which takes 250 of 800 ns less than to parse
 * the frame and then test `req_id` (Node.js 20, a frame of 130 bytes).
 */
export function readUsualFrame(text: string): RequestFrame | null {
  usualEnvelope.lastIndex = 0
  // Other keys may follow `data`: the parse below would throw, which costs 20 times more than to see it here.
  if (!usualEnvelope.test(text) || !text.endsWith('}}')) return null
  const comma = text.indexOf(',')
  const pkgId = Number(text.slice(pkgIdAt, comma))
  if (pkgId > maxPkgId) return null
  const reqIdAt = comma + reqIdAfterComma
  const reqId = text.slice(reqIdAt, reqIdAt + uuidLength)
  try {
    // What begins with a brace and parses up to the frame's last brace is one object, and all there is of `data`.
    const data: Record<string, unknown> = JSON.parse(text.slice(usualEnvelope.lastIndex, -1))
    return { kind: 'request', pkgId, reqId, method: '', data }
  } catch {
    return null
  }
}
