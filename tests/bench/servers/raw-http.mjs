// An HTTP server as one would write it by hand for these two routes. With TWINWIRE_BENCH_HEADERS=composed it sends the headers of Twinwire,
// all constant ones in one native call: the least that they can cost.
import { randomUUID } from 'node:crypto'
import process from 'node:process'
import * as v from 'valibot'
import { serve } from '../lib/serve.mjs'
import { loadSameUws } from '../lib/uws.mjs'
import { findAuthor, getAuthor, Input, maxBodyBytes, Path } from './contract.mjs'

const json = 'application/json'
const policy =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
/** The value of `content-type`, and what follows it: one call writes it all. */
const composed = [
  json,
  'x-frame-options: DENY',
  'x-content-type-options: nosniff',
  'x-xss-protection: 1; mode=block',
  'referrer-policy: strict-origin-when-cross-origin',
  'permissions-policy: geolocation=(), microphone=(), camera=()',
  `content-security-policy: ${policy}`,
].join('\r\n')

const visible = /^[\x21-\x7e]{1,128}$/
const prefix = randomUUID().slice(0, 24)
let calls = 0

/** The caller's, or a new one: not as random as a UUID, and as unique. */
function toCorrelationId(header) {
  if (visible.test(header)) return header
  calls++
  return prefix + calls.toString(16).padStart(12, '0')
}

const withHeaders = process.env.TWINWIRE_BENCH_HEADERS === 'composed'

function succeed(res, id, data) {
  const body = JSON.stringify(data)
  if (withHeaders) res.writeHeader('content-type', composed).writeHeader('x-correlation-id', id).end(body)
  else res.writeHeader('content-type', json).end(body)
}

function fail(res, id, status, code, msg, details = null) {
  res.writeStatus(status)
  succeed(res, id, { error: { code, msg, details } })
}

const invalid = (res, id, issues) =>
  fail(res, id, '422 Unprocessable Entity', 'validation_error', 'Invalid input', v.flatten(issues))

function get(res, req) {
  const id = withHeaders ? toCorrelationId(req.getHeader('x-correlation-id')) : ''
  const input = v.safeParse(Path, { id: Number(req.getParameter(0)) })
  if (!input.success) return invalid(res, id, input.issues)
  succeed(res, id, findAuthor(input.output))
}

function post(res, req) {
  const id = withHeaders ? toCorrelationId(req.getHeader('x-correlation-id')) : ''
  const isJson = req.getHeader('content-type').startsWith(json)
  let aborted = false
  let parts = null
  let bytes = 0
  res.onAborted(() => {
    aborted = true
  })
  if (!isJson) return fail(res, id, '415 Unsupported Media Type', 'unsupported_media_type', 'The body must be JSON')
  res.onData((chunk, isLast) => {
    if (aborted) return
    bytes += chunk.byteLength
    if (bytes > maxBodyBytes) {
      aborted = true
      return fail(res, id, '413 Payload Too Large', 'payload_too_large', 'The body is too large')
    }
    if (isLast && parts === null) return create(res, id, Buffer.from(chunk))
    parts ??= []
    // The chunk is memory of uWS, which reuses it after this call.
    parts.push(Buffer.from(Buffer.from(chunk)))
    if (isLast) create(res, id, Buffer.concat(parts))
  })
}

function create(res, id, bytes) {
  let body
  try {
    body = JSON.parse(bytes.toString())
  } catch {
    return fail(res, id, '400 Bad Request', 'malformed_request', 'The body is not JSON')
  }
  const input = v.safeParse(Input, body)
  if (!input.success) return invalid(res, id, input.issues)
  succeed(res, id, getAuthor(input.output))
}

const uWS = loadSameUws()

await serve(
  () =>
    new Promise((resolve, reject) => {
      uWS
        .App()
        .get('/authors/:id', get)
        .post('/authors', post)
        .any('/*', (res) => fail(res, randomUUID(), '404 Not Found', 'not_found', 'Route not found'))
        .listen('127.0.0.1', 0, (socket) => {
          if (socket) resolve(uWS.us_socket_local_port(socket))
          else reject(new Error('Cannot listen'))
        })
    }),
)
