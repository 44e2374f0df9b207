import * as v from 'valibot'
import { getAuthor, Input, pkgId } from './contract.mjs'

// What a server without a framework does with a package, as one would write it for this one kind: no tricks.

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const zeroUuid = '00000000-0000-0000-0000-000000000000'

const routes = new Map([[pkgId, { input: Input, handler: getAuthor }]])

const succeed = (pkg_id, req_id, data) => JSON.stringify({ pkg_id, req_id, status_code: 0, meta: null, data })

const fail = (pkg_id, req_id, status_code, code, msg, details = null) =>
  JSON.stringify({ pkg_id, req_id, status_code, meta: null, data: { code, msg, details } })

/** The reply to a frame, or what to call: `{ pkg_id, req_id, input, handler }`. */
function open(text) {
  let frame
  try {
    frame = JSON.parse(text)
  } catch {
    return fail(0, zeroUuid, 2, 'malformed_request', 'The frame is not JSON')
  }
  if (typeof frame !== 'object' || frame === null) {
    return fail(0, zeroUuid, 2, 'malformed_request', 'The frame is not a JSON object')
  }
  const { pkg_id, req_id, data } = frame
  if (typeof req_id !== 'string' || !uuid.test(req_id)) {
    return fail(0, zeroUuid, 2, 'malformed_request', 'req_id must be a UUID')
  }
  if (!Number.isInteger(pkg_id)) return fail(0, req_id, 2, 'malformed_request', 'pkg_id must be an integer')
  const route = routes.get(pkg_id)
  if (route === undefined) return fail(pkg_id, req_id, 1, 'not_found', `No handler found for pkg_id ${pkg_id}`)
  const input = v.safeParse(route.input, data ?? {})
  if (!input.success) {
    return fail(pkg_id, req_id, 2, 'validation_error', 'The input is not valid', v.flatten(input.issues))
  }
  return { pkg_id, req_id, input: input.output, handler: route.handler }
}

function crash(pkg_id, req_id, error) {
  console.error(error)
  return fail(pkg_id, req_id, 1, 'internal_error', 'Internal error')
}

/** @returns {string} the reply */
export function answer(text) {
  const call = open(text)
  if (typeof call === 'string') return call
  const { pkg_id, req_id, input, handler } = call
  try {
    return succeed(pkg_id, req_id, handler(input))
  } catch (error) {
    return crash(pkg_id, req_id, error)
  }
}

/** The same with a handler that awaits once. */
export async function answerLater(text) {
  const call = open(text)
  if (typeof call === 'string') return call
  const { pkg_id, req_id, input, handler } = call
  try {
    await null
    return succeed(pkg_id, req_id, handler(input))
  } catch (error) {
    return crash(pkg_id, req_id, error)
  }
}
