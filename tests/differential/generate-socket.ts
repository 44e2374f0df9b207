import { profiles } from './apps.ts'
import type { Case, Step, Tokens } from './case.ts'
import { type FrameChoices, generateFrame, pkgId, textFrame, toFrame } from './generate-frames.ts'
import { authorization } from './generate-head.ts'
import { lastRequest } from './generate-http.ts'
import type { Random } from './random.ts'

/** PkgIDs of the routes that only `full` has. */
const guardedIds: readonly number[] = [100, 101, 102, 103, 104, 105]

/** One to three clients that open a WebSocket each, or try to, and send up to eight frames in each of up to four turns. */
export function generateSocketCase(random: Random, index: number, tokens: Tokens): Case {
  const profile = random.pick(profiles)
  const peers = random.pick([1, 1, 1, 2, 3])
  const topic = `open:${index}`
  const choices: FrameChoices = {
    topic,
    others: profile === 'full' ? guardedIds : [],
    tokens: Object.values(tokens),
  }
  const steps: Step[] = []
  let requests = 0
  for (let peer = 0; peer < peers; peer++) {
    const isPlain = peers > 1 || random.chance(0.7)
    for (const step of generateUpgrade(random, isPlain, profile, tokens)) steps.push({ peer, ...step })
    steps.push({ peer, pieces: [lastRequest], awaits: { kind: 'nothing' }, when: 'refused' })
    requests += 1
  }
  // All but the last join, so that publications of any of them arrive at several.
  if (peers > 1) for (let peer = 0; peer < peers; peer++) steps.push(settled(random, peer, joining(random, topic)))
  for (let turn = random.int(1, 4); turn > 0; turn--) {
    const peer = random.int(0, peers - 1)
    const frames = Array.from({ length: random.int(1, 8) }, () => generateFrame(random, choices))
    requests += frames.length
    const bytes = frames.join('')
    // In one packet, in a packet each, or cut anywhere.
    const pieces = random.chance(0.9) ? [bytes] : random.chance(0.5) ? frames : random.cut(bytes, 4)
    steps.push(settled(random, peer, pieces))
  }
  // What was published by one has arrived at the others by the answer to their next call.
  for (let peer = 0; peer < peers; peer++) steps.push(settled(random, peer, []))
  for (let peer = 0; peer < peers; peer++)
    steps.push({ peer, pieces: [toFrame(8, '\x03\xe8')], awaits: { kind: 'close' }, when: 'upgraded' })
  return { index, wire: 'ws', profile, peers, trusted: random.chance(0.7), steps, requests }
}

/** Adds a call that takes longer than any other, and waits for its answer. */
function settled(random: Random, peer: number, pieces: readonly string[]): Step {
  const reqId = random.uuid()
  const last = textFrame(`{"pkg_id":${pkgId('ASYNC')},"req_id":"${reqId}","data":{"count":5}}`)
  // In the packet of the last frames: a call of several turns would otherwise race with its arrival.
  const all = [...pieces.slice(0, -1), `${pieces.at(-1) ?? ''}${last}`]
  return { peer, pieces: all, awaits: { kind: 'text', text: `"req_id":"${reqId}"` }, when: 'upgraded' }
}

function joining(random: Random, topic: string): string[] {
  return [textFrame(`{"pkg_id":${pkgId('JOIN')},"req_id":"${random.uuid()}","data":{"topic":"${topic}"}}`)]
}

/** The upgrade, and with plugins the handshake that follows it. `isPlain`: nothing about it is unusual. */
function generateUpgrade(
  random: Random,
  isPlain: boolean,
  profile: Case['profile'],
  tokens: Tokens,
): Omit<Step, 'peer'>[] {
  const rubbish = isPlain ? 0 : 0.12
  const key = Buffer.from(random.bytes(16), 'latin1').toString('base64')
  const or = (usual: string, ...others: readonly string[]): string[] => {
    const line = random.chance(rubbish) ? random.pick(others) : usual
    return line === '' ? [] : [line]
  }
  const upgradeLine = or('Upgrade: websocket', '', 'Upgrade: h2c', 'Upgrade: WebSocket', 'Upgrade: websocket, h2c')
  const keyLine = or(
    `Sec-WebSocket-Key: ${key}`,
    '',
    'Sec-WebSocket-Key: short',
    `Sec-WebSocket-Key: ${'x'.repeat(24)}`,
    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Key: ${key}`,
  )
  const lines = [
    ...or(
      `GET ${random.chance(rubbish) ? randomTarget(random) : '/ws'} HTTP/1.1`,
      'GET /plain HTTP/1.1',
      'POST /ws HTTP/1.1',
      'GET /ws/ HTTP/1.1',
      'PUT /ws HTTP/1.1',
    ),
    ...or('Host: 127.0.0.1', 'Host: evil.example', 'Host:', 'Host: app.example:99'),
    ...upgradeLine,
    ...or('Connection: Upgrade', '', 'Connection: close', 'Connection: keep-alive, Upgrade', 'Connection: upgrade'),
    ...keyLine,
    ...or('Sec-WebSocket-Version: 13', '', 'Sec-WebSocket-Version: 12', 'Sec-WebSocket-Version: 13, 12'),
    ...or(
      '',
      'Content-Length: 2',
      'Transfer-Encoding: chunked',
      'Content-Length: 0',
      'Origin: https://evil.example',
      'Origin: https://app.example',
    ),
    ...or(
      '',
      'Sec-WebSocket-Protocol: twinwire',
      'Sec-WebSocket-Protocol: a, twinwire',
      'Sec-WebSocket-Protocol: a',
      `Sec-WebSocket-Protocol: twinwire, bearer.${tokens.writer}`,
      `Sec-WebSocket-Protocol: bearer.${tokens.forged}`,
    ),
    ...or(
      '',
      `X-Correlation-ID: ${random.uuid()}`,
      'X-Correlation-ID: two words',
      'X-Forwarded-For: 203.0.113.9',
      'Sec-WebSocket-Extensions: permessage-deflate',
    ),
  ]
  const isDirect = profile === 'full' && random.chance(0.4)
  if (isDirect)
    lines.push(
      random.chance(0.8)
        ? `Authorization: Bearer ${random.pick([tokens.writer, tokens.reader])}`
        : authorization(random, tokens),
    )
  const head = `${lines.join('\r\n')}\r\n\r\n`
  if (isDirect) return [{ pieces: [head], awaits: { kind: 'admission' } }]
  const upgrade: Omit<Step, 'peer'> = { pieces: [head], awaits: { kind: 'answers', methods: ['GET'] } }
  if (profile !== 'full') return [upgrade]
  const token = random.chance(0.85) ? random.pick([tokens.writer, tokens.reader]) : random.pick(Object.values(tokens))
  const first = random.chance(0.95)
    ? `{"type":"auth","token":"Bearer ${token}"}`
    : random.pick(['{}', '{"type":"other"}', '', '{"type":"auth"}'])
  return [upgrade, { pieces: [textFrame(first)], awaits: { kind: 'admission' }, when: 'upgraded' }]
}

function randomTarget(random: Random): string {
  return random.pick([
    '/ws?format=json',
    '/ws?format=JSON',
    '/ws?format=xml',
    '/ws?format=',
    '/ws?hook=async',
    '/ws?hook=fail',
    '/ws?a=%ff',
    '/nowhere',
    '/plain',
    '/ws?token=x',
  ])
}
