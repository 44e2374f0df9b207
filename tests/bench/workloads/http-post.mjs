import { workload as get, toId, toRequest } from './http-get.mjs'

/** POST of JSON, whose body is validated. */

const json = ['Content-Type: application/json']

const post = (body, headers = json) => toRequest('POST /authors HTTP/1.1', headers, body)

export const workload = {
  ...get,
  name: 'http-post',

  toRequest(connection, slot) {
    const page = toId(connection, slot)
    const name = 'Ursula K. Le Guin'
    return { bytes: post(JSON.stringify({ name, page })), reply: { id: page, name } }
  },

  toProbes: () => [
    { request: post('{"name":"","page":1}'), status: [400, 422] },
    { request: post('{"name":"Ada","page":"1"}'), status: [400, 422] },
    { request: post('{"name":"Ada"'), status: [400] },
    { request: post('{"name":"Ada","page":1}', ['Content-Type: text/plain']), status: [400, 415] },
    { request: post(JSON.stringify({ name: 'x'.repeat(1_100_000), page: 1 })), status: [413] },
  ],
}
