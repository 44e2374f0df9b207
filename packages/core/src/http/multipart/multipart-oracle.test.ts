// Generated bodies, read by ours and by `new Response(body).formData()` of Node: https://github.com/nodejs/undici. What differs has a reason.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../../errors/app-error.ts'
import { openBody } from './multipart.fixtures.ts'
import { bodies, boundary } from './multipart-oracle.fixtures.ts'
import { toSafeFilename } from './part-head.ts'

const runs = Number(process.env.MULTIPART_RUNS ?? 500)
const seed = Number(process.env.MULTIPART_SEED ?? 16)
const contentType = `multipart/form-data; boundary=${boundary}`

/** A field has a value, a file the rest. */
interface Entry {
  readonly name: string
  readonly value?: string
  readonly filename?: string | null
  readonly type?: string
  readonly bytes?: Buffer
}
type Reading = readonly Entry[] | Error

async function readOurs(body: Buffer, chunkBytes: number): Promise<Reading> {
  const many = { maxParts: 1000, maxFields: 1000, maxFiles: 1000, maxFieldBytes: 1e6, maxNameBytes: 4096 }
  try {
    const open = openBody(body, { contentType, chunkBytes, ...many })
    const entries: Entry[] = []
    for (const [name, values] of Object.entries(await open.readFields()))
      for (const value of typeof values === 'string' ? [values] : values) entries.push({ name, value })
    for await (const file of open)
      entries.push({
        name: file.field,
        filename: file.filename,
        type: file.contentType,
        bytes: Buffer.from(await file.bytes()),
      })
    return entries
  } catch (error) {
    // Anything else is a defect.
    if (AppError.is(error) && [413, 415, 422].includes(error.httpStatus)) return error
    throw error
  }
}

async function readTheirs(body: Buffer): Promise<Reading> {
  try {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData()
    const entries: Entry[] = []
    for (const [name, value] of form)
      entries.push(
        typeof value === 'string'
          ? { name, value }
          : { name, filename: value.name, type: value.type, bytes: Buffer.from(await value.arrayBuffer()) },
      )
    return entries
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const toMessage = (reading: Reading): string => {
  if (!(reading instanceof AppError)) return ''
  const { details, message } = reading
  return Array.isArray(details) ? details.map((issue) => issue.message).join() : message
}
const toMediaType = (type: string): string => {
  const essence = type.split(';', 1)[0]?.trim() ?? ''
  return /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(essence) ? essence : 'application/octet-stream'
}

/** Theirs as ours would have it: grouped by name, safe file names, the type alone. */
function toOurForm(entries: readonly Entry[]): readonly Entry[] {
  const fields = new Map<string, Entry[]>()
  for (const entry of entries)
    if (entry.bytes === undefined) fields.set(entry.name, [...(fields.get(entry.name) ?? []), entry])
  const files = entries.filter(({ bytes }) => bytes !== undefined)
  return [
    ...[...fields].flatMap(([, each]) => each),
    ...files.map((file) => ({
      ...file,
      filename: toSafeFilename(file.filename ?? ''),
      type: toMediaType(file.type ?? ''),
    })),
  ]
}

const isSame = (a: unknown, b: unknown): boolean => {
  try {
    expect(a).toEqual(b)
    return true
  } catch {
    return false
  }
}

/** The header lines of each part, as Node splits a body. */
function toHeads(text: string): readonly (readonly string[])[] {
  return text
    .split(`--${boundary}`)
    .slice(1)
    .filter((each) => each.startsWith('\r\n'))
    .map((each) => each.slice(2).split('\r\n\r\n', 1)[0]?.split('\r\n') ?? [])
}
const usualDisposition = /^form-data; name="[^"\r\n]*"(?:; filename="[^"\r\n]*")?$/
const usualHeader = /^[\w!#$%&'*+.^`|~-]+[ \t]*:[^\r\n]*$/

const isUnusualHead = (lines: readonly string[]): boolean => {
  const dispositions = lines.filter((line) => /^content-disposition[ \t]*:/i.test(line))
  return (
    !lines.every((line) => usualHeader.test(line)) ||
    !dispositions.every((line) => usualDisposition.test(line.replace(/^[^:]*:[ \t]*/, '')))
  )
}

interface Comparison {
  /** Each byte is one character. */
  readonly text: string
  readonly ours: Reading
  readonly theirs: Reading
  readonly heads: readonly (readonly string[])[]
}
const refusedWith =
  (pattern: RegExp) =>
  ({ ours, theirs }: Comparison): boolean =>
    !(theirs instanceof Error) && pattern.test(toMessage(ours))
const hasHeader = (heads: Comparison['heads'], pattern: RegExp): boolean =>
  heads.flat().some((line) => pattern.test(line))
const hasEncoding = (heads: Comparison['heads']): boolean =>
  hasHeader(heads, /^content-transfer-encoding: *(?:base64|quoted-printable) *$|^content-type:.*charset/i)

/** Ours is read, and each content is in the body, the one that is whole between two boundaries. */
function isFrom({ text, ours, heads }: Comparison): boolean {
  if (ours instanceof Error) return false
  if (hasEncoding(heads)) return true
  return ours.every(({ value, bytes = Buffer.from(value ?? '') }) => {
    const content = bytes.toString('latin1')
    // A byte order mark is removed from text.
    return ['', '\u00EF\u00BB\u00BF'].some((mark) => text.includes(`\r\n\r\n${mark}${content}\r\n--${boundary}`))
  })
}

/** Why the two readings differ, and what must be so then. The first that holds counts. */
const reasons: Readonly<Record<string, (comparison: Comparison) => boolean>> = {
  // Ours refuses.
  'a field after a file has to come before it': refusedWith(/^The field comes after a file/),
  'a key that could reach a prototype': refusedWith(/^Key is not allowed$/),
  'text that is not UTF-8 would be replaced': refusedWith(/not valid utf-8$/i),
  'a charset that is unknown would be read as UTF-8': refusedWith(/^The charset of .* is not known/),
  'a transfer encoding that is unknown would be ignored': refusedWith(/^Content-Transfer-Encoding must be/),
  'bytes that are not encoded as they say': refusedWith(/^The bytes are not/),
  'the last of two dispositions would count': (it) =>
    refusedWith(/^Each part must have one header/)(it) &&
    it.heads.some((lines) => lines.filter((line) => /^content-disposition/i.test(line)).length > 1),
  'a header line that ends with CR or LF alone, which is none for RFC 5322': (it) =>
    refusedWith(/^Each part must have one header|^A part ends within|^The body ends/)(it) &&
    hasHeader(it.heads, /[\r\n]/),
  // Node's parser refuses.
  'what follows the last boundary is ignored': (it) =>
    it.theirs instanceof Error &&
    isFrom(it) &&
    !/^(?:\r\n)*$/.test(it.text.split(`--${boundary}--`).slice(1).join(boundary)),
  'a header right behind a boundary, without a line break': (it) =>
    it.theirs instanceof Error && isFrom(it) && new RegExp(`--${boundary}(?!\\r\\n|-)`).test(it.text),
  'headers in a form that browsers do not write': (it) =>
    it.theirs instanceof Error && it.heads.some(isUnusualHead) && isFrom(it),
  'a content may have the text of the boundary in it': (it) =>
    it.theirs instanceof Error && isFrom(it) && `\r\n${it.text}`.replaceAll(`\r\n--${boundary}`, '').includes(boundary),
  'one dash behind each of two boundaries in a row, which @fastify/busboy takes for the two at the end': (it) =>
    it.theirs instanceof Error && isFrom(it) && it.text.includes(`--${boundary}-\r\n--${boundary}-`),
  // Both accept.
  'a transfer encoding or a charset is decoded': (it) => hasEncoding(it.heads) && areAlike(it),
}

/** The same names in the same order; what they hold may differ. */
function areAlike({ ours, theirs }: Comparison): boolean {
  if (ours instanceof Error || theirs instanceof Error) return false
  const toNames = (entries: readonly Entry[]): unknown => entries.map(({ name, filename }) => [name, filename])
  return isSame(toNames(ours), toNames(toOurForm(theirs)))
}

function explain(body: Buffer, ours: Reading, theirs: Reading): string | null {
  if (ours instanceof Error && theirs instanceof Error) return 'both refuse'
  if (!(ours instanceof Error) && !(theirs instanceof Error) && isSame(ours, toOurForm(theirs))) return 'same'
  const text = body.toString('latin1')
  const comparison = { text, ours, theirs, heads: toHeads(text) }
  return Object.keys(reasons).find((reason) => reasons[reason]?.(comparison)) ?? null
}

// Node 24 has version 7, which takes preambles, parameters that are given twice and more: other reasons than these.
const isOracle = process.versions.undici?.startsWith('6.') === true

test.skipIf(!isOracle)(
  `${runs} bodies are read as Node reads them, or for a reason not: seed ${seed}`,
  async () => {
    const counts = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(bodies, fc.constantFrom(1, 7, 100, 65_536), async (body, chunkBytes) => {
        const ours = await readOurs(body, chunkBytes)
        const theirs = await readTheirs(body)
        const reason = explain(body, ours, theirs)
        if (reason === null) expect({ ours, says: toMessage(ours) }).toEqual({ theirs })
        else counts.set(reason, (counts.get(reason) ?? 0) + 1)
      }),
      { numRuns: runs, seed },
    )
    console.info(`multipart, seed ${seed}:`, Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a)))
    if (runs < 500) return
    // Many bodies are usual ones.
    expect(counts.get('same')).toBeGreaterThan(runs / 4)
  },
  900_000,
)
