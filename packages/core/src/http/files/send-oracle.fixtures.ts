import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import send from 'send'
import { parseHttpDate } from './http-date.ts'

/** What two servers answer alike. */
export interface Answer {
  readonly status: number
  readonly range: string
  readonly length: string
  readonly body: string
}

export type Headers = Readonly<Record<string, string>>

/** What `send` answers to a request for a file on Node's server, with our entity tag. */
export async function createOracle(
  root: string,
  etag: () => string,
): Promise<{
  ask(method: string, headers: Headers): Promise<Answer>
  close(): Promise<void>
}> {
  const server = createServer((req, res) => {
    res.setHeader('etag', etag())
    send(req, '/file.txt', { root })
      .on('error', (error: { status?: number }) => {
        res.statusCode = error.status ?? 500
        res.end()
      })
      .pipe(res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    ask: (method, headers) =>
      new Promise((resolve, reject) => {
        request({ port, method, headers, agent: false }, (res) => {
          const chunks: Buffer[] = []
          res.on('data', (chunk: Buffer) => chunks.push(chunk))
          res.on('end', () => resolve(toAnswer(res.statusCode ?? 0, res.headers, Buffer.concat(chunks).toString())))
          res.on('error', reject)
        })
          .on('error', reject)
          .end()
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

export function toAnswer(status: number, headers: IncomingHttpHeaders | Headers, body: string): Answer {
  // Neither has the bytes of the file.
  const isError = status === 304 || status >= 400
  const { 'content-range': range = '', 'content-length': length = '' } = headers
  return { status, range: String(range), length: isError ? '' : String(length), body: isError ? '' : body }
}

export const size = 1000
/** Of the file. */
const modified = 'Mon, 06 May 2024 07:08:09 GMT'

const number = fc.oneof(
  fc.integer({ min: 0, max: size + 10 }).map(String),
  fc.constantFrom('', '0', String(size - 1), String(size), '99999999999999999999', '007', 'x', '-1', '1.5', ' 1'),
)
const rangeSpec = fc.tuple(number, number).map(([first, last]) => `${first}-${last}`)
const range = fc.oneof(
  { weight: 6, arbitrary: rangeSpec.map((spec) => `bytes=${spec}`) },
  { weight: 2, arbitrary: fc.array(rangeSpec, { maxLength: 3 }).map((specs) => `bytes=${specs.join(',')}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('BYTES=', 'items=', 'bytes', 'bytes =', ''), rangeSpec)
      .map(([unit, spec]) => unit + spec),
  },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.constantFrom('b', '=', '-', '1', ',', ' ', 'bytes='), minLength: 1, maxLength: 8 }),
  },
)
const date = fc.oneof(
  fc.constantFrom(
    modified,
    'Mon, 06 May 2024 07:08:08 GMT',
    'Mon, 06 May 2024 07:08:10 GMT',
    'Monday, 06-May-24 07:08:09 GMT',
    'Mon May  6 07:08:09 2024',
    '2024-05-06T07:08:09Z',
    'Mon, 06 May 2024 07:08:09',
    'yesterday',
    '0',
  ),
  fc
    .date({ min: new Date('1970-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
    .map((at) => at.toUTCString()),
)

/** Headers of a request; `etag` is that of the file. */
export function requestOf(etag: string): fc.Arbitrary<{ readonly method: string; readonly headers: Headers }> {
  const tag = fc.constantFrom(etag, `W/${etag}`, '"other"', 'W/"other"', '*', 'bare', '"open', '""', etag.slice(1, -1))
  const tags = fc.oneof(
    tag,
    fc
      .tuple(fc.array(tag, { minLength: 1, maxLength: 4 }), fc.constantFrom(',', ', ', ' ,', ',,', ' '))
      .map(([list, comma]) => list.join(comma)),
  )
  const absentIn = <T>(parts: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.oneof({ weight: parts, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
  const record = fc.record({
    range: fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 3, arbitrary: range }),
    'if-range': absentIn(3, fc.oneof(tag, date)),
    'if-match': absentIn(6, tags),
    'if-none-match': absentIn(6, tags),
    'if-modified-since': absentIn(4, date),
    'if-unmodified-since': absentIn(6, date),
    'cache-control': absentIn(15, fc.constant('no-cache')),
  })
  return fc.record({ method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD'), headers: record.map(withoutUndefined) })
}

function withoutUndefined(headers: Readonly<Record<string, string | undefined>>): Headers {
  const entries: [string, string][] = []
  // As a parser gives them: without space around them, and none that is empty.
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && value.trim() !== '') entries.push([name, value.trim()])
  return Object.fromEntries(entries)
}

const isTagList = (text: string): boolean => text === '*' || /^(?:[\s,]*(?:W\/)?"[^"]*"(?=[\s,]|$))+[\s,]*$/.test(text)
const isStrict = (text: string): boolean => parseHttpDate(text) !== null
/** `bytes=` and specs of RFC 9110, with empty members. */
const isRangeSet = (text: string): boolean =>
  /^bytes=(?:\s*(?:\d+-\d*|-\d+)?\s*,)*\s*(?:\d+-\d*|-\d+)?\s*$/.test(text) &&
  [...text.matchAll(/(\d+)-(\d+)/g)].every(([, first = '', last = '']) => BigInt(first) <= BigInt(last))

/** Why an answer may differ from that of `send`: the name of the class, or null. */
export function explain(method: string, headers: Headers, etag: string): string | null {
  const {
    range: asked = '',
    'if-range': ifRange = '',
    'if-match': match = '',
    'if-none-match': noneMatch = '',
  } = headers
  const dates = [headers['if-modified-since'], headers['if-unmodified-since']]
  if (headers['cache-control'] === 'no-cache') return 'send ignores If-None-Match of a reload: RFC 9110 does not'
  if (match.includes('W/')) return 'send compares If-Match weakly, RFC 9110 (13.1.1) strongly'
  if (!isTagList(match) && match !== '') return 'If-Match is not a list of tags'
  if (!isTagList(noneMatch) && noneMatch !== '') return 'If-None-Match is not a list of tags'
  if (match !== '*' && match.includes('*')) return 'If-Match has * beside tags'
  if (noneMatch !== '*' && noneMatch.includes('*')) return 'If-None-Match has * beside tags'
  if ([match, noneMatch].some((list) => /"\s+(?:W\/)?"/.test(list))) return 'tags without a comma'
  if (dates.some((each) => each !== undefined && !isStrict(each)))
    return 'send reads what Date.parse does, RFC 9110 (5.6.7) knows three forms'
  if (dates.some((each) => each !== undefined && !/^\w{3},/.test(each)))
    return 'send reads the form of asctime in local time, and others by Date.parse'
  if (asked !== '') {
    if (method === 'HEAD') return 'Range is for GET alone (RFC 9110, 14.2)'
    if (ifRange !== '' && ifRange !== etag && ifRange !== modified)
      return 'send takes any If-Range that has the tag or a later date, RFC 9110 (13.1.5) the strong tag or the same date'
    if (!isRangeSet(asked))
      return 'a range that is not valid is ignored (RFC 9110, 14.2): send answers 416 to some, and reads others'
    if (asked.includes(',')) return 'of several ranges the whole is sent: send joins those that touch'
    if (/=\s*-\d*[1-9]/.test(asked) && Number(/-(\d+)/.exec(asked)?.[1]) > size)
      return 'a suffix that is longer than the file is the whole file (RFC 9110, 14.1.2): send answers 416'
  }
  return null
}
