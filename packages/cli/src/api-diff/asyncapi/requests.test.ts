import { expect, it } from 'vitest'
import { compareAsyncApi } from './compare-asyncapi.ts'

const text = { type: 'string' }
const data = { type: 'object', properties: { name: text } }
const noData = { type: 'null' }
const note = { 'x-note': 'Null, or left out, is an empty object' }

const payload = {
  type: 'object',
  properties: { pkg_id: { const: 3 }, req_id: text, data: { anyOf: [data, noData], ...note } },
  required: ['pkg_id', 'req_id'],
}
const withKeys = (properties: object, required: readonly string[] = payload.required) =>
  documentOf({ payload: { ...payload, properties: { ...payload.properties, ...properties }, required } })

/** A document of one route, with credentials that may be sent. */
function documentOf(request: object, scheme: object = { type: 'httpApiKey', in: 'cookie', name: 'sid' }) {
  const channel = { $ref: '#/channels/main' }
  return {
    asyncapi: '3.0.0',
    channels: {
      main: { address: '/ws', messages: { Request: { payload, correlationId: { location: '#/req_id' }, ...request } } },
    },
    operations: {
      Create: {
        action: 'receive',
        channel,
        'x-route': 'CREATE',
        'x-pkg-id': 3,
        messages: [{ $ref: '#/channels/main/messages/Request' }],
        security: [{ $ref: '#/components/securitySchemes/own' }],
      },
    },
    components: { securitySchemes: { own: scheme } },
  }
}

const ids = (before: object, after: object) =>
  compareAsyncApi({ ...before }, { ...after }).map(({ rule, at }) => `${rule} ${at}`.trim())
const old = documentOf({})
const required = [...payload.required, 'data']

it.each([
  ['a key that is required', withKeys({ tenant: text }, [...payload.required, 'tenant']), ['input-required tenant']],
  ['a key that may be sent', withKeys({ tenant: text }), ['input-key-added tenant']],
  ['another type of the id', withKeys({ req_id: { type: 'number' } }), ['input-type req_id']],
  ['data that are required', withKeys({}, required), ['input-required data']],
  ['data that are no longer null', withKeys({ data }), ['input-type data']],
  ['the alternatives in another order', withKeys({ data: { anyOf: [noData, data], ...note } }), []],
  ['another id', documentOf({ correlationId: { location: '#/id' } }), ['correlation request']],
] as const)('a request with %s', (_name, changed, expected) => {
  expect(ids(old, changed)).toEqual(expected)
})

it.each([
  ['another cookie', { type: 'httpApiKey', in: 'cookie', name: 'sid2' }],
  ['a token', { type: 'http', scheme: 'bearer' }],
])('credentials of the same name that are %s', (_name, scheme) => {
  expect(ids(old, documentOf({}, scheme))).toEqual(['access'])
})

it('a channel with another name has the same address', () => {
  const { channels, ...rest } = old
  const renamed = JSON.parse(
    JSON.stringify({ ...rest, channels: { other: channels.main } }).replaceAll('#/channels/main', '#/channels/other'),
  )
  expect(ids(old, renamed)).toEqual([])
})
