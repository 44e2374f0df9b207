import { generateJson } from './generate-body.ts'
import type { Random } from './random.ts'
import { errorNames, pkgIds } from './routes.ts'

/**
 * A frame of a client. Payloads have one character for each byte. The mask is zero, so that a case can be read, and the ids in it found.
 */
export function toFrame(opcode: number, payload: string, { fin = true, masked = true, reserved = 0 } = {}): string {
  const { length } = payload
  if (length > 65_535) throw new Error('Frames of over 65535 bytes are not made here')
  const size = length < 126 ? [length] : [126, length >> 8, length & 255]
  const [first = 0, ...rest] = size
  const head = [(fin ? 0x80 : 0) | reserved | opcode, (masked ? 0x80 : 0) | first, ...rest]
  return `${String.fromCharCode(...head)}${masked ? '\0\0\0\0' : ''}${payload}`
}

export const textFrame = (text: string): string => toFrame(1, text)

export interface FrameChoices {
  readonly topic: string
  /** PkgIDs of the app beyond those of every app. */
  readonly others: readonly number[]
  readonly tokens: readonly string[]
}

/** The bytes of one message, of a control frame, or of something that is neither. */
export function generateFrame(random: Random, choices: FrameChoices): string {
  const kind = random.weighted({
    call: 60,
    publication: 14,
    broken: 10,
    control: 5,
    binary: 2,
    size: 2,
    native: 4,
    close: 1,
  })
  switch (kind) {
    case 'call':
      return textFrame(toPackage(random, ...generateCall(random, choices)))
    case 'publication':
      return textFrame(toPackage(random, ...generatePublication(random, choices.topic)))
    case 'broken':
      return textFrame(breakPackage(random, choices))
    case 'control':
      return textFrame(generateControl(random, choices))
    case 'binary':
      return toFrame(2, random.chance(0.5) ? random.bytes(random.int(0, 50)) : toPackage(random, 1, '{"id":1}'))
    case 'size': {
      const text = `"${'x'.repeat(random.pick([3900, 4096, 10_000, 17_000]))}"`
      return textFrame(toPackage(random, pkgId('ASYNC'), `{"count":0,"value":${text}}`))
    }
    case 'native':
      return generateNative(random)
    case 'close':
      return toFrame(
        8,
        random.pick(['', '\x03\xe8', '\x03\xe9bye', '\x03', '\x00\x01', '\x0f\xa0x', '\x03\xed', '\x03\xe8\xff']),
      )
  }
}

export function pkgId(name: string): number {
  const id = pkgIds[name]
  if (id === undefined) throw new Error(`No PkgID ${name}`)
  return id
}

function generateCall(random: Random, { others }: FrameChoices): [number, string] {
  const name = random.pick(Object.keys(pkgIds))
  if (random.chance(0.15) && others.length > 0) return [random.pick(others), random.pick(['{}', '{"text":"t"}'])]
  if (random.chance(0.06)) return [random.pick([77, 2 ** 31 - 1, 500]), '{}']
  if (random.chance(0.1)) return [pkgId(name), generateJson(random)]
  const data: Readonly<Record<string, () => string>> = {
    GET_AUTHOR: () => `{"id":${random.pick(['1', '2', '0', '1.5', '"1"', '-1'])}}`,
    CREATE_AUTHOR: () =>
      `{"name":"${random.hex(4)}","page":${random.int(0, 9)}${random.pick(['', ',"extra":1', ',"tags":["a"]'])}}`,
    RENAME_AUTHOR: () => `{"id":${random.int(1, 4)},"name":"caf\xc3\xa9"}`,
    REMOVE_AUTHOR: () => `{"id":${random.int(1, 2)}}`,
    PATCH_STRICT: () => `{"key":"k","value":${generateJson(random)}${random.pick(['', ',"more":1', ',"dry":true'])}}`,
    LIST_AUTHORS: () => `{"page":${random.int(1, 5)}}`,
    TRANSFORM: () => `{"text":"${random.pick(['  abc ', ''])}"}`,
    ASYNC: () => `{"count":${random.int(0, 5)},"value":${generateJson(random)}}`,
    ORDERED: () => `{"count":${random.int(0, 3)}}`,
    FAIL: () => `{"name":"${random.pick(errorNames)}"}`,
    FAIL_LATER: () => `{"name":"${random.pick(errorNames)}"}`,
    REPLY: () => `{"code":${random.pick([200, 201, 404, 100])}}`,
    TEXT: () => '{"text":"\\u00e9"}',
    JOIN: () => `{"topic":"${random.pick(['closed:1', 'nowhere', '', 'exact'])}"${random.pick(['', ',"leave":true'])}}`,
    PUBLISH: () => `{"topic":"${random.pick(['closed:1', 'nowhere'])}","count":1,"text":""}`,
  }
  return [pkgId(name), data[name]?.() ?? '{}']
}

function generatePublication(random: Random, topic: string): [number, string] {
  if (random.chance(0.4)) return [pkgId('JOIN'), `{"topic":"${topic}"${random.chance(0.2) ? ',"leave":true' : ''}}`]
  // From 16 KiB on a message of uWebSockets.js takes another way.
  const text = 'p'.repeat(random.pick([0, 5, 100, 1024, 3500]))
  const later = random.chance(0.3) ? ',"later":true' : ''
  return [pkgId('PUBLISH'), `{"topic":"${topic}","count":${random.int(0, 8)},"text":"${text}"${later}}`]
}

/** As clients write it, in the usual form or another. */
function toPackage(random: Random, id: number, data: string, reqId: string = random.uuid()): string {
  if (random.chance(0.6))
    return `{"pkg_id":${id},"req_id":"${reqId}",${random.pick(['', '"method":"",', '"method":null,'])}"data":${data}}`
  return random.pick([
    `{"req_id":"${reqId}","pkg_id":${id},"data":${data}}`,
    `{ "pkg_id": ${id}, "req_id": "${reqId}", "data": ${data} }`,
    `{"pkg_id":${id},"req_id":"${reqId}","data":${data},"more":{}}`,
    `{"pkg_id":${id},"req_id":"${reqId.toUpperCase()}","method":"x","data":${data}}`,
    `{"pkg_id":${id}.0,"req_id":"${reqId}","data":${data}}`,
    `{"pkg_id":${id},"req_id":"${reqId}"}`,
    `{"pkg_id":${id},"req_id":"${reqId}","data":null}`,
    `\n{"pkg_id":${id},"req_id":"${reqId}","data":${data}}\n`,
  ])
}

function breakPackage(random: Random, choices: FrameChoices): string {
  const [id, data] = generateCall(random, choices)
  const reqId = random.uuid()
  const text = `{"pkg_id":${id},"req_id":"${reqId}","data":${data}}`
  return random.pick([
    text.slice(0, random.int(0, text.length - 1)),
    `${text}}`,
    `${text} x`,
    `\xef\xbb\xbf${text}`,
    '',
    '{',
    'null',
    '[]',
    '7',
    `[${text}]`,
    `{"pkg_id":${random.pick(['0', '-1', '1.5', '2147483648', '"1"', 'null', '1e3', '01', '{}'])},"req_id":"${reqId}","data":{}}`,
    `{"pkg_id":${id},"req_id":${random.pick(['"x"', '""', '1', 'null', `"${reqId}x"`, `"{${reqId}}"`])},"data":{}}`,
    `{"pkg_id":${id},"req_id":"${reqId}","data":${random.pick(['[]', '"text"', '1', 'true', '[{}]'])}}`,
    `{"pkg_id":${id},"req_id":"${reqId}","method":1,"data":{}}`,
    `{"pkg_id":${id},"req_id":"${reqId}","data":{"__proto__":{"id":1},"id":2}}`,
    `{"pkg_id":${id},"req_id":"${reqId}","data":{"constructor":{"prototype":{}},"id":2}}`,
    `{"pkg_id":${id},"req_id":"${reqId}","data":{"name":"\\ud800","page":1,"id":1}}`,
    `{"pkg_id":${id},"req_id":"${reqId}","data":{"a":1}},"b":{}}`,
    `{"pkg_id":${id},"pkg_id":77,"req_id":"${reqId}","data":{}}`,
    `{"req_id":"${reqId}","data":{}}`,
    `{"pkg_id":${id},"data":{}}`,
    random.bytes(random.int(1, 20)).replace(/[\x80-\xff]/g, '?'),
  ])
}

function generateControl(random: Random, { tokens }: FrameChoices): string {
  return random.pick([
    '{"type":"unknown"}',
    `{"type":"unknown","req_id":"${random.uuid()}"}`,
    '{"type":1}',
    '{"type":""}',
    '{"type":"auth"}',
    '{"type":"auth","token":1}',
    ...tokens.map((token) => `{"type":"auth","token":"Bearer ${token}"}`),
    `{"type":"auth","pkg_id":1,"req_id":"${random.uuid()}"}`,
  ])
}

/** What the protocol below packages sees. */
function generateNative(random: Random): string {
  const text = `{"pkg_id":1,"req_id":"${random.uuid()}","data":{"id":2}}`
  return random.pick<() => string>([
    () => toFrame(9, random.pick(['', 'ping', 'x'.repeat(125)])),
    () => toFrame(9, random.pick(['', 'ping', 'x'.repeat(125)])),
    () => toFrame(10, 'pong'),
    () => toFrame(1, text.slice(0, 20), { fin: false }) + toFrame(0, text.slice(20)),
    () => toFrame(1, text.slice(0, 9), { fin: false }) + toFrame(9, 'p') + toFrame(0, text.slice(9)),
    () => toFrame(1, '\xff\xfe'),
    () => toFrame(3, 'x'),
    () => toFrame(1, text, { reserved: 0x40 }),
    () => toFrame(0, text),
    () => toFrame(9, 'x'.repeat(126)),
    () => toFrame(9, 'x', { fin: false }),
  ])()
}
