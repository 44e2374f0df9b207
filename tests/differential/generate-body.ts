import type { Random } from './random.ts'

/** A body and the header lines that go with it. */
export interface GeneratedBody {
  readonly lines: readonly string[]
  readonly bytes: string
  /** False: the server waits for more of it. */
  readonly whole: boolean
}

export const noBody: GeneratedBody = { lines: [], bytes: '', whole: true }

/** Frames `text`, mostly as it should be. */
export function frameBody(random: Random, text: string, rubbish: number): GeneratedBody {
  const type = contentType(random, text)
  const lines = type === null ? [] : [`Content-Type: ${type}`]
  if (random.chance(0.25)) return frameChunks(random, text, lines, rubbish)
  if (!random.chance(rubbish)) return { lines: [...lines, `Content-Length: ${text.length}`], bytes: text, whole: true }
  return random.pick<() => GeneratedBody>([
    () => ({ lines: [...lines, `Content-Length: ${text.length + random.int(1, 50)}`], bytes: text, whole: false }),
    () => ({ lines: [...lines, `Content-Length: ${Math.max(0, text.length - 1)}`], bytes: text, whole: true }),
    () => ({ lines: [...lines, `content-length:${text.length}`], bytes: text, whole: true }),
    () => ({ lines: [...lines, `Content-Length: 0${text.length}`], bytes: text, whole: true }),
    () => ({ lines: [...lines, `Content-Length: ${text.length}x`], bytes: text, whole: true }),
    () => ({ lines: [...lines, 'Content-Length: 0'], bytes: '', whole: true }),
    () => ({ lines, bytes: '', whole: true }),
    () => ({
      lines: [...lines, `Content-Length: ${text.length}`, `Content-Length: ${text.length}`],
      bytes: text,
      whole: true,
    }),
  ])()
}

function frameChunks(random: Random, text: string, lines: readonly string[], rubbish: number): GeneratedBody {
  const head = [...lines, 'Transfer-Encoding: chunked']
  const chunks = random.cut(text, 4).map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`)
  const bytes = `${chunks.join('')}0\r\n\r\n`
  if (!random.chance(rubbish)) return { lines: head, bytes, whole: true }
  return random.pick<() => GeneratedBody>([
    () => ({ lines: head, bytes: `${chunks.join('')}0\r\n`, whole: false }),
    () => ({ lines: head, bytes: chunks.join(''), whole: false }),
    () => ({ lines: head, bytes: `zz\r\n${text}\r\n0\r\n\r\n`, whole: true }),
    () => ({ lines: head, bytes: `-1\r\n${text}\r\n0\r\n\r\n`, whole: true }),
    () => ({ lines: head, bytes: `fffffffffffffffff\r\n${text}`, whole: true }),
    () => ({ lines: head, bytes: `${chunks.join('')}0\r\nX-End: 1\r\n\r\n`, whole: true }),
    () => ({ lines: [...head, `Content-Length: ${text.length}`], bytes, whole: true }),
  ])()
}

function contentType(random: Random, text: string): string | null {
  const isForm = !text.startsWith('{') && text.includes('=')
  if (random.chance(0.8)) return isForm ? 'application/x-www-form-urlencoded' : 'application/json'
  return random.pick([
    null,
    '',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/json;charset=latin1',
    'application/problem+json',
    'application/x-www-form-urlencoded; charset=utf-8',
    'text/plain',
    'text/json',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/jsonx',
    'json',
    ';',
  ])
}

/** Any JSON value, as text. */
export function generateJson(random: Random, depth = 3): string {
  if (depth === 0 || random.chance(0.5)) return scalar(random)
  const count = random.int(0, 4)
  if (random.chance(0.4)) return `[${Array.from({ length: count }, () => generateJson(random, depth - 1)).join(',')}]`
  return `{${Array.from({ length: count }, () => `${key(random)}:${generateJson(random, depth - 1)}`).join(',')}}`
}

function key(random: Random): string {
  return JSON.stringify(
    random.pick(['a', 'name', 'id', 'page', 'text', '', '__proto__', 'constructor', 'toString', 'é']),
  )
}

function scalar(random: Random): string {
  return random.pick([
    'null',
    'true',
    'false',
    '0',
    '-0',
    '1',
    '3.5',
    '1e400',
    '9007199254740993',
    '""',
    `"${random.hex(6)}"`,
    '"\\ud800"',
    '"\\u0000"',
    '"caf\xc3\xa9"',
    '"\\u2028"',
    `"${'z'.repeat(101)}"`,
  ])
}

/** What is almost JSON, or not at all. */
export function breakText(random: Random, text: string): string {
  return random.pick<() => string>([
    () => text.slice(0, random.int(0, text.length)),
    () => `${text}${random.pick([' ', ',', '}', 'x', '\0'])}`,
    () => `\xef\xbb\xbf${text}`,
    () => text.replaceAll('"', "'"),
    () => random.bytes(random.int(1, 40)),
    () => '',
    () => 'null',
    () => '[]',
    () => '"text"',
    () => `{"a":1,"a":2,${text.slice(1)}`,
    () => `{"__proto__":{"page":1},${text.slice(1)}`,
    () => '['.repeat(random.pick([10, 2000])),
    () => `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`,
    () => text.replace(/"(\w)/, '"\xff$1'),
    () => `${' '.repeat(random.pick([3, 70, 5000, 17_000]))}${text}`,
    () => generateJson(random),
    () => toForm(random, text),
  ])()
}

/** The top level of a JSON object as a urlencoded form, or anything of that shape. */
export function toForm(random: Random, text: string): string {
  const pairs = [...text.matchAll(/"(\w+)":"?([^",}]*)"?/g)].map(([, name, value]) => `${name}=${value}`)
  return random.pick([
    pairs.join('&'),
    [...pairs, ...pairs].join('&'),
    `${pairs.join('&')}&__proto__=1&a[b]=2&=&&x`,
    pairs.join('&').replaceAll('=', '=%ff%'),
    pairs.join('&').replaceAll(' ', '+'),
  ])
}
