import { maxPkgId, type RequestFrame } from './frame.ts'

/** The envelope as `JSON.stringify` writes it, up to the brace that opens `data`. Names are case-sensitive, digits of a UUID not. */
const usualEnvelope =
  /^\{"pkg_id":([1-9]\d{0,9}),"req_id":"([\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12})",(?:"method":(?:null|"([\w./-]*)"),)?"data":(?=\{)/

/**
 * Reads a package whose text is of the form that every client of ours writes: `pkg_id`, `req_id`, `method` or not, `data`, in this
 * order and without spaces. Null for anything else, good or bad: the parser of whole frames says which. What it reads, that parser
 * reads as the same.
 *
 * The envelope is matched and checked by one expression and only `data` is parsed, which takes 250 of 800 ns less than to parse
 * the frame and then test `req_id` (Node.js 20, a frame of 130 bytes).
 */
export function readUsualFrame(text: string): RequestFrame | null {
  const envelope = usualEnvelope.exec(text)
  // Other keys may follow `data`: the parse below would throw, which costs 20 times more than to see it here.
  if (envelope === null || !text.endsWith('}}')) return null
  const [start, pkgIdText, reqId, method = ''] = envelope
  const pkgId = Number(pkgIdText)
  // `reqId` is there, since its group is not optional: that part is for the types.
  if (pkgId > maxPkgId || reqId === undefined) return null
  try {
    // What begins with a brace and parses up to the frame's last brace is one object, and all there is of `data`.
    const data: Record<string, unknown> = JSON.parse(text.slice(start.length, -1))
    return { kind: 'request', pkgId, reqId, method, data }
  } catch {
    return null
  }
}
