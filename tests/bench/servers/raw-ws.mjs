// A WebSocket server as one would write it by hand for this one kind of package: no framework, no tricks.
import * as v from 'valibot'
import { serve } from '../lib/serve.mjs'
import { loadSameUws } from '../lib/uws.mjs'
import { getAuthor, Input, pkgId } from './contract.mjs'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const zeroUuid = '00000000-0000-0000-0000-000000000000'
const decoder = new TextDecoder()
const uWS = loadSameUws()

const routes = new Map([[pkgId, { input: Input, handler: getAuthor }]])

function succeed(ws, pkg_id, req_id, data) {
  ws.send(JSON.stringify({ pkg_id, req_id, status_code: 0, meta: null, data }))
}

function fail(ws, pkg_id, req_id, status_code, code, msg, details = null) {
  ws.send(JSON.stringify({ pkg_id, req_id, status_code, meta: null, data: { code, msg, details } }))
}

function onMessage(ws, message) {
  let frame
  try {
    frame = JSON.parse(decoder.decode(message))
  } catch {
    return fail(ws, 0, zeroUuid, 2, 'malformed_request', 'The frame is not JSON')
  }
  if (typeof frame !== 'object' || frame === null) {
    return fail(ws, 0, zeroUuid, 2, 'malformed_request', 'The frame is not a JSON object')
  }
  const { pkg_id, req_id, data } = frame
  if (typeof req_id !== 'string' || !uuid.test(req_id)) {
    return fail(ws, 0, zeroUuid, 2, 'malformed_request', 'req_id must be a UUID')
  }
  if (!Number.isInteger(pkg_id)) return fail(ws, 0, req_id, 2, 'malformed_request', 'pkg_id must be an integer')
  const route = routes.get(pkg_id)
  if (route === undefined) return fail(ws, pkg_id, req_id, 1, 'not_found', `No handler found for pkg_id ${pkg_id}`)
  const input = v.safeParse(route.input, data ?? {})
  if (!input.success) {
    return fail(ws, pkg_id, req_id, 2, 'validation_error', 'The input is not valid', v.flatten(input.issues))
  }
  try {
    succeed(ws, pkg_id, req_id, route.handler(input.output))
  } catch (error) {
    console.error(error)
    fail(ws, pkg_id, req_id, 1, 'internal_error', 'Internal error')
  }
}

await serve(
  () =>
    new Promise((resolve, reject) => {
      uWS
        .App()
        .ws('/ws', {
          compression: uWS.DISABLED,
          maxPayloadLength: 256 * 1024,
          idleTimeout: 120,
          message: onMessage,
        })
        .listen('127.0.0.1', 0, (socket) => {
          if (socket) resolve(uWS.us_socket_local_port(socket))
          else reject(new Error('Cannot listen'))
        })
    }),
)
