import { connect, createServer, type Server } from 'node:net'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApps } from '../differential/apps.ts'
import type { Tokens } from '../differential/case.ts'
import { compareCounts, normalize } from '../differential/compare.ts'
import { findAnswerEnd } from '../differential/http-answer.ts'
import { createCase, type Ports, runCases } from '../differential/run-cases.ts'
import { createTokens, startIssuer } from '../differential/tokens.ts'

/** Passes bytes on between clients and an app, and changes what the app sends. */
async function startProxy(port: number, change: (bytes: string) => string): Promise<Server> {
  const server = createServer({ allowHalfOpen: false }, (client) => {
    const app = connect({ port, host: '127.0.0.1', localAddress: client.remoteAddress ?? '' })
    app.on('data', (bytes: Buffer) => client.write(change(bytes.toString('latin1')), 'latin1'))
    client.on('data', (bytes: Buffer) => app.write(bytes))
    for (const socket of [client, app]) socket.on('error', () => {})
    client.on('close', () => app.destroy())
    app.on('close', () => client.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('Not listening')
  return address.port
}

// Each case has a client address of its own, which only Linux has on the loopback interface.
describe.runIf(process.platform === 'linux')('the differential test', () => {
  let tokens: Tokens
  let before: Ports
  let now: Ports
  const stops: (() => unknown)[] = []

  beforeAll(async () => {
    const nowMs = Date.now()
    const issuer = await startIssuer(nowMs)
    tokens = createTokens(issuer)
    const apps = await Promise.all([0, 1].map(() => startApps({ issuer: issuer.issuer, nowMs }, () => {})))
    const [one, other] = apps
    if (one === undefined || other === undefined) throw new Error('Not started')
    before = one.ports
    now = other.ports
    stops.push(...apps.map((each) => () => each.close()), () => issuer.stop())
  })
  afterAll(async () => {
    for (const stop of stops) await stop()
  })

  it('finds no difference between a build and itself', async () => {
    const { requests, cases, differences } = await runCases({ seed: 4, tokens, before, now }, 600)
    expect(differences).toEqual([])
    expect(requests).toBeGreaterThanOrEqual(600)
    expect(cases).toBeGreaterThan(50)
  })

  const planted: Readonly<Record<string, (bytes: string) => string>> = {
    'the order of two headers': (bytes) =>
      bytes.replace(/(x-frame-options: \w+\r\n)(x-content-type-options: \w+\r\n)/, '$2$1'),
    'a header that is missing': (bytes) => bytes.replace(/allow: [^\r]+\r\n/, ''),
    'a correlation id that is not the one of the client': (bytes) =>
      bytes.replace(/x-correlation-id: order-\d/, 'x-correlation-id: order-x'),
    'a byte of a reply package': (bytes) => bytes.replace('"status_code":3', '"status_code":2'),
    'a close code': (bytes) => bytes.replace('\x03\xf0Too many', '\x03\xf1Too many'),
  }
  it.each(Object.entries(planted))('finds %s', async (_name, change) => {
    const proxy = await startProxy(now.bare, change)
    const changed = { ...now, bare: portOf(proxy) }
    const { differences } = await runCases({ seed: 4, tokens, before, now: changed, maxDifferences: 1 }, 2000)
    proxy.close()
    expect(differences).not.toEqual([])
    expect(differences[0]).toMatch(/^case \d+ \((http|ws), bare\) differs: /)
  })

  it('generates the same cases for the same seed, and others for another', () => {
    const first = Array.from({ length: 50 }, (_, i) => createCase(7, i, tokens))
    expect(Array.from({ length: 50 }, (_, i) => createCase(7, i, tokens))).toEqual(first)
    expect(createCase(8, 0, tokens)).not.toEqual(first[0])
  })
})

describe('the comparer', () => {
  it('replaces the date and ids that the server made, and nothing else', () => {
    const sent = 'GET / HTTP/1.1\r\nX-Correlation-ID: 11111111-1111-4111-8111-111111111111\r\n\r\n'
    const answer = (id: string): string =>
      `HTTP/1.1 200 OK\r\nDate: Fri, 01 Jan 2027 00:00:00 GMT\r\nx-correlation-id: ${id}\r\ncontent-length: 0\r\n\r\n`
    const own = '22222222-2222-4222-8222-222222222222'
    expect(normalize(answer(own), sent)).toBe(
      'HTTP/1.1 200 OK\r\nDate: <date>\r\nx-correlation-id: <uuid>\r\ncontent-length: 0\r\n\r\n',
    )
    expect(normalize(answer('11111111-1111-4111-8111-111111111111'), sent)).toContain('11111111-1111')
    expect(normalize(answer('00000000-0000-0000-0000-000000000000'), sent)).toContain('00000000-0000')
    expect(normalize(answer('not-a-uuid'), sent)).toContain('not-a-uuid')
  })

  it('joins the chunks of a stream', () => {
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
    expect(normalize(`${head}1\r\na\r\n2\r\nbc\r\n0\r\n\r\n`, '')).toBe(normalize(`${head}3\r\nabc\r\n0\r\n\r\n`, ''))
    expect(normalize(`${head}3\r\nabc\r\n`, '')).not.toBe(normalize(`${head}3\r\nabc\r\n0\r\n\r\n`, ''))
  })

  it('finds the end of an answer', () => {
    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
    expect(findAnswerEnd(`${answer}more`, 0, 'GET')).toBe(answer.length)
    expect(findAnswerEnd(answer.slice(0, -1), 0, 'GET')).toBeNull()
    expect(findAnswerEnd(answer, 0, 'HEAD')).toBe(answer.length - 2)
    expect(findAnswerEnd(`HTTP/1.1 100 Continue\r\n\r\n${answer}`, 0, 'GET')).toBe(answer.length + 25)
  })

  it('names what only one side has, and how often', () => {
    expect(compareCounts(['a', 'b', 'b'], ['b', 'c', 'a'])).toEqual(['+1 c', '-1 b'])
  })
})
