import type { Tokens } from './case.ts'
import type { Random } from './random.ts'

/** Header lines of a request, most of them valid. Without `Content-Length`, `Transfer-Encoding` and `Content-Type`, which go with a body. */
export function generateHeaders(random: Random, tokens: Tokens, rubbish: number): string[] {
  const lines = [hostLine(random, rubbish)]
  const maybe = (share: number, create: () => string | readonly string[]): void => {
    if (random.chance(share)) lines.push(...[create()].flat())
  }
  maybe(0.3, () => `X-Correlation-ID: ${correlationId(random)}`)
  maybe(0.2, () => `x-probe: ${random.hex(4)}`)
  maybe(0.15, () => `Accept: ${random.pick(['*/*', 'application/json', 'text/html,*/*;q=0.8'])}`)
  maybe(0.15, () => `User-Agent: differential/${random.int(1, 9)}`)
  maybe(0.1, () => `Cookie: a=${random.hex(3)}; b="c d"`)
  maybe(0.1, () => [`X-List: ${random.hex(2)}`, `x-list:  ${random.hex(2)} `])
  maybe(0.2, () => `traceparent: ${traceparent(random)}`)
  maybe(0.25, () => forwarded(random))
  maybe(
    0.2,
    () =>
      `Origin: ${random.pick(['https://app.example', 'https://evil.example', 'null', '', 'https://APP.example', 'x'])}`,
  )
  maybe(0.25, () => authorization(random, tokens))
  maybe(0.06, () => `Access-Control-Request-Method: ${random.pick(['POST', 'PUT', 'get', ''])}`)
  maybe(0.06, () => `Connection: ${random.pick(['close', 'keep-alive', 'Close', 'close, x', 'upgrade'])}`)
  maybe(0.02, () => 'Expect: 100-continue')
  maybe(rubbish, () => malformed(random, tokens))
  return random.chance(0.5) ? lines : shuffle(random, lines)
}

function hostLine(random: Random, rubbish: number): string {
  if (!random.chance(rubbish)) return 'Host: 127.0.0.1'
  return random.pick([
    'Host: app.example',
    'host: APP.EXAMPLE:8080',
    'Host: [::1]:80',
    'Host: evil.example',
    'Host: app.example.evil',
    'Host:',
    'Host:   ',
    'Host: a b',
    'Host: 127.0.0.1:',
    'Host: 127.0.0.1:99999',
    'Host: app.example,evil.example',
    'X-No-Host: 1',
    'Host: 127.0.0.1\r\nHost: 127.0.0.1',
    'Host: app.example.',
  ])
}

function correlationId(random: Random): string {
  return random.pick([
    random.uuid(),
    random.uuid().toUpperCase(),
    `order-${random.int(1, 9999)}`,
    'x'.repeat(random.pick([127, 128, 129, 500])),
    '',
    'two words',
    'caf\xe9',
    '~!@#$%^&*()',
    `a\tb`,
  ])
}

function traceparent(random: Random): string {
  const [trace, span] = [random.hex(32), random.hex(16)]
  return random.pick([
    `00-${trace}-${span}-01`,
    `00-${trace}-${span}-00`,
    `ff-${trace}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${trace}-${span}`,
    `01-${trace}-${span}-01-more`,
    'nonsense',
  ])
}

function forwarded(random: Random): string[] {
  const address = random.pick([
    '203.0.113.7',
    '2001:db8::1',
    '[2001:db8::1]:443',
    '203.0.113.7:1234',
    '::ffff:1.2.3.4',
    'unknown',
    '',
  ])
  const list = random.pick([
    address,
    `${address}, 127.0.0.9`,
    `127.0.0.8, ${address}`,
    `${address},${address}, 10.0.0.1`,
    ' , ',
    'evil',
  ])
  const lines = [`X-Forwarded-For: ${list}`]
  if (random.chance(0.2)) lines.push('x-forwarded-for: 198.51.100.2')
  if (random.chance(0.5)) lines.push(`X-Forwarded-Proto: ${random.pick(['https', 'http', 'HTTPS', 'https, http', ''])}`)
  return lines
}

export function authorization(random: Random, tokens: Tokens): string {
  const token = random.pick(Object.values(tokens))
  return `Authorization: ${random.pick([
    `Bearer ${token}`,
    `Bearer ${tokens.writer}`,
    `Bearer ${tokens.reader}`,
    `bearer ${tokens.writer}`,
    `Bearer  ${tokens.writer}`,
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    `Bearer ${tokens.writer} x`,
    tokens.writer,
    `Bearer ${tokens.writer.slice(0, -2)}`,
    '',
  ])}`
}

/** Lines that HTTP forbids, or that a server could read in two ways. */
function malformed(random: Random, tokens: Tokens): string[] {
  return random.pick([
    ['Name : space before the colon'],
    ['no colon'],
    [': no name'],
    ['X-Folded: a', ' b'],
    [`X-Control: a\x01b`],
    ['X-Null: a\0b'],
    ['X-High: \xff\xfe'],
    ['X-Empty:'],
    [`X-Long: ${'y'.repeat(random.pick([2000, 31_000, 33_000]))}`],
    Array.from({ length: random.pick([90, 99, 120]) }, (_, i) => `X-${i}: ${i}`),
    ['Content-Length: 0', 'Content-Length: 0'],
    ['Content-Length: 3', 'Transfer-Encoding: chunked'],
    ['Content-Length: -1'],
    ['Content-Length: 1e3'],
    ['Content-Length: +4'],
    ['Transfer-Encoding: gzip'],
    ['Transfer-Encoding: gzip, chunked'],
    ['Transfer-Encoding: Chunked'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    [`Authorization: Bearer ${tokens.writer}`, `Authorization: Bearer ${tokens.reader}`],
    ['Proxy-Authorization: a', 'Proxy-Authorization: b'],
    ['Origin: https://app.example', 'Origin: https://evil.example'],
    ['Content-Type: application/json', 'Content-Type: text/plain'],
    ['Idempotency-Key: 1', 'Idempotency-Key: 2'],
    ['Idempotency-Key: 1'],
    ['Trailer: X-End'],
    ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings'],
    ['User-Agent: one', 'User-Agent: two'],
    ['X-Correlation-ID: first', 'X-Correlation-ID: second'],
    ['Cookie: a=1', 'Cookie: b=2'],
    ['Range: bytes=0-1'],
    ['If-None-Match: *'],
  ])
}

function shuffle<T>(random: Random, values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, key: random.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value)
}
