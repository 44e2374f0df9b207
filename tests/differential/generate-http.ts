import { profiles } from './apps.ts'
import type { Case, Step, Tokens } from './case.ts'
import { breakText, frameBody, generateJson, noBody, toForm } from './generate-body.ts'
import { generateHeaders } from './generate-head.ts'
import type { Random } from './random.ts'
import { errorNames, statusCodes } from './routes.ts'

interface Request {
  readonly bytes: string
  readonly method: string
  readonly whole: boolean
}

interface Intent {
  readonly method: string
  readonly path: string
  /** JSON. */
  readonly body?: string
}

/** Asks whether the connection is still open, and whether what came before left something behind. */
export const lastRequest = 'GET /plain?last HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Correlation-ID: last\r\n\r\n'

/** One client with one to four requests, or up to nine where limits count them. */
export function generateHttpCase(random: Random, index: number, tokens: Tokens): Case {
  const profile = random.pick(profiles)
  const count = profile === 'full' ? random.int(1, 9) : random.int(1, 4)
  const steps: Step[] = []
  let requests = 0
  while (requests < count) {
    const request = generateRequest(random, profile, tokens)
    requests += 1
    if (!request.whole) {
      steps.push({ peer: 0, pieces: random.cut(request.bytes, 2), awaits: { kind: 'nothing' } })
      break
    }
    if (random.chance(0.06)) {
      // Both in one packet. If the first is not answered at once, the connection is closed.
      const second = generateRequest(random, profile, tokens)
      if (second.whole) {
        requests += 1
        const methods = [request.method, second.method]
        steps.push({ peer: 0, pieces: [request.bytes + second.bytes], awaits: { kind: 'answers', methods } })
        continue
      }
    }
    const pieces = random.chance(0.12) ? random.cut(request.bytes, 3) : [request.bytes]
    steps.push({ peer: 0, pieces, awaits: { kind: 'answers', methods: [request.method] } })
  }
  if (steps.at(-1)?.awaits.kind !== 'nothing')
    steps.push({ peer: 0, pieces: [lastRequest], awaits: { kind: 'answers', methods: ['GET'] } })
  return { index, wire: 'http', profile, peers: 1, trusted: random.chance(0.7), steps, requests }
}

function generateRequest(random: Random, profile: Case['profile'], tokens: Tokens): Request {
  const rubbish = random.pick([0, 0, 0.03, 0.3])
  const intent = random.pick(random.chance(0.85) ? intents : profile === 'full' ? guardedIntents : edgeIntents)(random)
  const method = random.chance(0.85) ? intent.method : randomMethod(random)
  const path = random.chance(rubbish) ? breakPath(random, intent.path) : intent.path
  const query = random.chance(0.3) ? `${path.includes('?') ? '&' : '?'}${generateQuery(random)}` : ''
  const headers = generateHeaders(random, tokens, rubbish)
  const body = toBody(random, intent, method, rubbish)
  const version = random.chance(rubbish / 4)
    ? random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 ', 'http/1.1', ''])
    : 'HTTP/1.1'
  const lines = [`${method} ${path}${query} ${version}`, ...headers, ...body.lines]
  return { bytes: `${lines.join('\r\n')}\r\n\r\n${body.bytes}`, method, whole: body.whole }
}

function toBody(random: Random, { body }: Intent, method: string, rubbish: number): ReturnType<typeof frameBody> {
  if (body === undefined && !random.chance(method === 'GET' || method === 'HEAD' ? 0.03 : 0.5)) return noBody
  const text = body ?? generateJson(random)
  const sent = random.chance(0.1) ? toForm(random, text) : random.chance(rubbish) ? breakText(random, text) : text
  return frameBody(random, sent, rubbish)
}

function randomMethod(random: Random): string {
  return random.weighted({
    HEAD: 8,
    OPTIONS: 8,
    GET: 4,
    POST: 4,
    PUT: 2,
    PATCH: 2,
    DELETE: 2,
    TRACE: 1,
    get: 1,
    PROPFIND: 1,
    CONNECT: 1,
    'G:T': 1,
  })
}

const id = (random: Random): string =>
  random.pick([
    '1',
    '2',
    '7',
    '42',
    '0',
    '-1',
    '1.5',
    '01',
    '1e3',
    'x',
    '9007199254740993',
    '%31',
    '%20',
    '1%2F2',
    'NaN',
    '',
  ])

const author = (random: Random): string =>
  random.pick([
    `{"name":"Ursula","page":${random.int(1, 9)}}`,
    `{"name":"caf\xc3\xa9 \\u00e9","page":3,"tags":["a","b"],"extra":1}`,
    '{"name":"","page":0}',
    '{"page":1}',
    `{"name":${generateJson(random, 1)},"page":${generateJson(random, 1)}}`,
  ])

const intents: readonly ((random: Random) => Intent)[] = [
  (random) => ({ method: 'GET', path: `/authors/${id(random)}` }),
  (random) => ({ method: 'GET', path: `/authors/${id(random)}?fields=${random.hex(3)}` }),
  (random) => ({ method: 'POST', path: '/authors', body: author(random) }),
  (random) => ({ method: 'POST', path: '/authors?page=3', body: author(random) }),
  (random) => ({
    method: 'PUT',
    path: `/authors/${id(random)}`,
    body: random.pick(['{"name":"New"}', '{"name":"New","id":2}', '{}']),
  }),
  (random) => ({ method: 'DELETE', path: `/authors/${id(random)}` }),
  (random) => ({
    method: 'GET',
    path: `/authors?page=${id(random)}&per_page=2${random.pick(['', '&tags=a', '&tags=a&tags=b', '&tags'])}`,
  }),
  (random) => ({
    method: 'GET',
    path: `/authors/${id(random)}/books/${random.pick(['b', 'caf%C3%A9', '%ff', 'a%2Fb', '..'])}?flag=${random.pick(['true', 'false', '1', 'yes', ''])}&on=${random.pick(['2020-01-01', 'x'])}`,
  }),
  (random) => ({
    method: 'PATCH',
    path: `/strict/${random.pick(['k', '%6b'])}?dry=${random.pick(['true', 'x'])}&when=2020-01-01T00:00:00Z`,
    body: `{"value":${generateJson(random)}}`,
  }),
  (random) => ({ method: 'POST', path: '/transform', body: random.pick(['{"text":"  abc "}', '{"text":1}', '{}']) }),
  () => ({ method: 'GET', path: '/values' }),
  (random) => ({ method: 'POST', path: `/async/${random.int(0, 6)}`, body: `{"value":${generateJson(random)}}` }),
  (random) => ({ method: random.pick(['GET', 'POST']), path: `/errors/${random.pick(errorNames)}` }),
  () => ({ method: 'GET', path: '/bad-output' }),
  (random) => ({ method: 'GET', path: `/echo?a=1&a=2&b=%20${random.hex(2)}` }),
  () => ({ method: 'GET', path: '/echo' }),
  (random) => ({
    method: 'GET',
    path: `/reply/${random.pick([...statusCodes, 201, 204, 304, 299, 599, 100, 600, 101])}`,
  }),
  (random) => ({ method: 'GET', path: `/text?text=${random.pick(['', 'a', 'caf%C3%A9', '%00', 'x'.repeat(2000)])}` }),
  () => ({ method: 'GET', path: '/bytes' }),
  (random) => ({
    method: 'POST',
    path: '/publish',
    body: `{"topic":"${random.pick(['open:http', 'closed:1', 'unknown', ''])}","count":2,"text":"t"}`,
  }),
  () => ({ method: 'GET', path: '/plain' }),
  (random) => ({ method: random.pick(['GET', 'POST']), path: '/nothing' }),
  (random) => ({
    method: 'GET',
    path: `/files/${random.pick(['a', 'a/b/c.txt', 'static', '', 'a%2Fb', '..', 'a/../b', 'a//b', '%2e%2e/x', '.', 'a/', '%00'])}`,
  }),
  (random) => ({ method: 'GET', path: `/rest/${random.pick(['x', 'x/y', ''])}` }),
  (random) => ({ method: 'GET', path: `/mapped?${generateQuery(random)}` }),
  (random) => ({
    method: 'POST',
    path: '/small',
    body: `{"text":"${'s'.repeat(random.pick([1, 52, 53, 54, 200, 9000, 70_000]))}"}`,
  }),
  (random) => ({ method: 'POST', path: '/raw', body: random.bytes(random.pick([1, 10, 4096, 4097])) }),
  (random) => ({ method: 'POST', path: '/ignored', body: generateJson(random) }),
  (random) => ({ method: 'GET', path: `/headers?kind=${random.pick(['', 'own', 'type', 'owned', 'bad', 'x'])}` }),
  (random) => ({ method: 'GET', path: random.pick(['/stream', '/stream/empty', '/stream/later']) }),
  () => ({ method: 'GET', path: '/large' }),
  (random) => ({ method: 'POST', path: '/later', body: author(random) }),
  () => ({ method: 'GET', path: '/later' }),
  (random) => ({
    method: 'GET',
    path: random.pick(['/ws', '/health/live', '/unknown', '/', '/endless']),
  }),
  () => ({ method: 'POST', path: '/endless', body: '{"name":"x"}' }),
]

const edgeIntents: readonly ((random: Random) => Intent)[] = [
  (random) => ({ method: 'GET', path: `/plain?hook=${random.pick(['async', 'fail', 'none'])}` }),
  (random) => ({ method: 'POST', path: `/authors?hook=${random.pick(['async', 'fail'])}`, body: author(random) }),
  () => ({ method: 'GET', path: '/hook/cookie' }),
  (random) => ({ method: 'OPTIONS', path: random.pick(['/authors', '/authors/1', '/nowhere', '/ws']) }),
]

const guardedIntents: readonly ((random: Random) => Intent)[] = [
  () => ({ method: 'GET', path: '/who' }),
  (random) => ({ method: 'POST', path: '/write', body: random.pick(['{"text":"t"}', '{}', '{']) }),
  () => ({ method: 'GET', path: '/either' }),
  () => ({ method: 'GET', path: '/scoped' }),
  () => ({ method: 'GET', path: '/maybe' }),
  () => ({ method: 'GET', path: '/limited' }),
  (random) => ({ method: 'DELETE', path: `/own/${id(random)}` }),
]

function generateQuery(random: Random): string {
  const names = [
    'page',
    'name',
    'tags',
    'flag',
    'a',
    'a[b]',
    '__proto__',
    'constructor',
    '',
    'caf%C3%A9',
    '%',
    '%zz',
    '%00',
    'id',
  ]
  const values = ['1', '', 'x', 'true', '%20', '+', '%ff', 'caf%C3%A9', '[1]', '{}', '%C3', 'a=b', '#']
  const pair = (): string => `${random.pick(names)}${random.chance(0.85) ? `=${random.pick(values)}` : ''}`
  const count = random.chance(0.02) ? random.pick([999, 1000, 1001]) : random.int(0, 4)
  return Array.from({ length: count }, pair).join('&')
}

function breakPath(random: Random, path: string): string {
  return random.pick([
    `${path}/`,
    `/${path}`,
    path.toUpperCase(),
    `${path}%`,
    `${path}%zz`,
    `${path}%00`,
    `${path}#fragment`,
    `${path}?`,
    `${path}?a=1?b=2`,
    `/%2e%2e${path}`,
    `/..${path}`,
    `/./${path}`,
    path.slice(1),
    path.replaceAll('/', '//'),
    path.replaceAll('/', '\\'),
    `${path}\xe9`,
    `${path} x`,
    `${path}\t`,
    '*',
    `http://127.0.0.1${path}`,
    '',
    `${path}${'/x'.repeat(300)}`,
    `${path}${'y'.repeat(4000)}`,
  ])
}
