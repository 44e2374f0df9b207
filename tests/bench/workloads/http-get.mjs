import { HttpLoad } from '../lib/http-load.mjs'

/** GET of JSON with a parameter in the path. */

const raw = new URL('../servers/raw-http.mjs', import.meta.url)

/** What Twinwire sends beside the headers that every server has, and so does the raw server that composes them. */
const ourHeaders = [
  'x-frame-options',
  'x-content-type-options',
  'x-xss-protection',
  'referrer-policy',
  'permissions-policy',
  'content-security-policy',
  'x-correlation-id',
]

export function toRequest(line, headers = [], body = null) {
  const length = body === null ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  return Buffer.from([line, 'Host: 127.0.0.1', ...headers, ...length, '', body ?? ''].join('\r\n'))
}

/** Three digits, so that all requests are of one length. */
export const toId = (connection, slot) => 100 + ((connection * 16 + slot) % 900)

const withToken = (token) => (token === null ? [] : [`Authorization: Bearer ${token}`])

export const workload = {
  name: 'http-get',
  /** The first one is what the others are compared with. */
  servers: [
    { name: 'raw', file: raw },
    { name: 'raw+headers', file: raw, env: { TWINWIRE_BENCH_HEADERS: 'composed' } },
    { name: 'twinwire', file: new URL('../servers/twinwire-http.mjs', import.meta.url) },
  ],
  profiled: 'twinwire',
  /** With `--peers`. */
  peers: [
    { name: 'hyper-express', file: new URL('../peers/hyper-express-http.mjs', import.meta.url) },
    { name: 'fastify', file: new URL('../peers/fastify-http.mjs', import.meta.url) },
  ],

  /**
   * One request on each connection, since no client pipelines. With more of them, system calls are shared by several requests, and all that
   * is left to compare is what is done in JavaScript: `--in-flight 16`.
   */
  inFlight: 1,

  createLoad: ({ inFlight }) => new HttpLoad(inFlight),

  toRequest(connection, slot, token) {
    const id = toId(connection, slot)
    return {
      bytes: toRequest(`GET /authors/${id} HTTP/1.1`, withToken(token)),
      reply: { id, name: 'Ursula K. Le Guin' },
    }
  },

  headers: (server) => ['content-type', ...(['raw', 'hyper-express', 'fastify'].includes(server) ? [] : ourHeaders)],

  /** What has to be refused, so that no server leaves a check out. */
  toProbes(token) {
    const get = (path) => toRequest(`GET ${path} HTTP/1.1`, withToken(token))
    return [
      { request: get('/authors/0'), status: [400, 422] },
      { request: get('/authors/1.5'), status: [400, 422] },
      { request: get('/authors/seven'), status: [400, 422] },
      { request: get('/writers/7'), status: [404] },
      // One that needs a token refuses to answer without it.
      ...(token === null ? [] : [{ request: toRequest('GET /authors/7 HTTP/1.1'), status: [401] }]),
    ]
  },
}
