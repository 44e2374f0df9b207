import { expect, it } from 'vitest'
import { compareAsyncApi } from './compare-asyncapi.ts'

const text = { type: 'string' }
const objectOf = (properties: object, required = Object.keys(properties)) => ({ type: 'object', properties, required })
const error = (code: string, retry = false) => ({ code, status_code: 1, http_status: 409, message: code, retry })
const limit = { points: 10, periodMs: 1000, burst: 0, cost: 1, name: null, key: 'identity', wire: null }

interface App {
  readonly pkgId: number
  readonly name: string
  readonly data: object
  readonly reply: object
  readonly facts: object
  readonly errors: readonly object[]
  readonly event: object
  readonly answer: object | null
  readonly operations: object
  readonly channel: object
  readonly ping: object
}

const channel = {
  address: '/ws',
  bindings: {
    ws: { query: { type: 'object', properties: { format: { enum: ['json', 'msgpack'], default: 'json' } } } },
  },
  'x-limits': { max_message_bytes: 1000, max_topics: 10 },
  'x-close-codes': [
    { code: 1000, reason: '', reconnect: 'no' },
    { code: 4001, reason: 'Unauthorized', reconnect: 'with a new token' },
  ],
  'x-topics': [
    {
      pattern: 'a:{id}',
      subscribe: true,
      resume: true,
      presence: true,
      slow: 'skip',
      history: { size: 10, ttlMs: 60 },
      steps: [],
    },
  ],
}
const topic = channel['x-topics'][0] ?? {}

const app: App = {
  pkgId: 3,
  name: 'CREATE',
  data: objectOf({ name: text }),
  reply: objectOf({ id: text }),
  facts: { 'x-reply': 'value', 'x-deadline-ms': 100, 'x-rate-limit': [limit], 'x-steps': [] },
  errors: [error('conflict')],
  event: objectOf({ id: text }),
  answer: objectOf({ ok: text }),
  operations: {},
  channel,
  ping: objectOf({ type: { const: 'ping' }, id: text }),
}

/** A document as the plugin writes it, with messages behind two references. */
function documentOf(changed: Partial<App>) {
  const {
    pkgId,
    name,
    data,
    reply,
    facts,
    errors,
    event,
    answer,
    operations,
    channel: described,
    ping,
  } = { ...app, ...changed }
  const messages = {
    Request: { payload: objectOf({ pkg_id: { const: pkgId }, data }), 'x-pkg-id': pkgId },
    Reply: { payload: objectOf({ pkg_id: { const: pkgId }, data: reply }), 'x-pkg-id': pkgId, 'x-status-code': 0 },
    Failure: {
      payload: objectOf({ data: objectOf({ code: { enum: errors } }) }),
      'x-status-code': 1,
      'x-error-codes': errors,
    },
    Event: { payload: objectOf({ data: event }), 'x-pkg-id': 100 },
    Answer: { payload: answer },
    Ping: { payload: ping },
    Pong: { payload: objectOf({ type: { const: 'pong' }, max_message_bytes: { const: pkgId } }) },
  }
  const refer = (...names: readonly string[]) => names.map((each) => ({ $ref: `#/channels/main/messages/${each}` }))
  const base = { channel: { $ref: '#/channels/main' } }
  return {
    asyncapi: '3.0.0',
    channels: {
      main: {
        ...described,
        messages: Object.fromEntries(
          Object.keys(messages).map((key) => [key, { $ref: `#/components/messages/${key}` }]),
        ),
      },
    },
    operations: {
      Create: {
        ...base,
        action: 'receive',
        'x-route': name,
        'x-pkg-id': pkgId,
        messages: refer('Request'),
        reply: { messages: refer('Reply', 'Failure') },
        ...facts,
      },
      Created: {
        ...base,
        action: 'send',
        'x-event': 'CREATED',
        'x-pkg-id': 100,
        messages: refer('Event'),
        ...(answer !== null && { reply: { messages: refer('Answer') } }),
      },
      ping: { ...base, action: 'receive', messages: refer('Ping'), reply: { messages: refer('Pong') } },
      ...operations,
    },
    components: { messages },
    'x-error-codes': [{ code: 'validation_error', status_code: 2, http_status: 422 }],
  }
}

const factsWith = (more: object) => documentOf({ facts: { ...app.facts, ...more } })
const channelWith = (more: object) => documentOf({ channel: { ...channel, ...more } })
const topicWith = (more: object) => channelWith({ 'x-topics': [{ ...topic, ...more }] })
const steps = [{ kind: 'guard', name: 'roles(x)', demands: { anyRole: ['x', 'y'] } }]
const permits = (...permission: readonly string[]) => [{ kind: 'guard', name: 'may', demands: { permission } }]
const old = documentOf({})
const added = {
  New: { action: 'receive', channel: { $ref: '#/channels/main' }, messages: [], 'x-route': 'NEW', 'x-pkg-id': 9 },
}
const frames = { stop: { action: 'receive', channel: { $ref: '#/channels/main' }, messages: [] } }
const events = {
  Gone: { action: 'send', channel: { $ref: '#/channels/main' }, messages: [], 'x-event': 'GONE', 'x-pkg-id': 101 },
}

const ids = (before: object, after: object) =>
  compareAsyncApi({ ...before }, { ...after }).map(({ rule, where, at }) => `${rule} ${where} ${at}`.trim())

const rows: readonly (readonly [string, object, readonly string[], readonly string[]])[] = [
  ['nothing', documentOf({}), [], []],
  ['another PkgID', documentOf({ pkgId: 4 }), ['pkg-id CREATE (3)'], ['pkg-id CREATE (4)']],
  ['another name', documentOf({ name: 'MAKE' }), ['route-renamed CREATE (3)'], ['route-renamed MAKE (3)']],
  ['a route', documentOf({ operations: added }), ['route-added NEW (9)'], ['route-removed NEW (9)']],
  ['an event', documentOf({ operations: events }), ['event-added GONE (101)'], ['event-removed GONE (101)']],
  ['a control frame', documentOf({ operations: frames }), ['frame-added stop'], ['frame-removed stop']],
  [
    'required data',
    documentOf({ data: objectOf({ name: text, country: text }) }),
    ['input-required CREATE (3) data.country'],
    ['input-key-removed CREATE (3) data.country'],
  ],
  [
    'data that may be left out',
    documentOf({
      data: {
        anyOf: [objectOf({ name: text }, []), { type: 'null' }],
        'x-note': 'Null, or left out, is an empty object',
      },
    }),
    ['input-relaxed CREATE (3) data.name', 'input-relaxed CREATE (3) data'],
    ['input-required CREATE (3) data.name', 'input-type CREATE (3) data'],
  ],
  [
    'another reply',
    documentOf({ reply: objectOf({ id: { type: 'number' } }) }),
    ['output-type CREATE (3) reply.data.id'],
    ['output-type CREATE (3) reply.data.id'],
  ],
  ['a stream', factsWith({ 'x-reply': 'stream' }), ['reply-kind CREATE (3) reply'], ['reply-kind CREATE (3) reply']],
  [
    'an error',
    documentOf({ errors: [error('conflict'), error('busy')] }),
    ['error-added CREATE (3) busy'],
    ['error-removed CREATE (3) busy'],
  ],
  [
    'an error that asks to try again',
    documentOf({ errors: [error('conflict', true)] }),
    ['error-retry CREATE (3) conflict'],
    ['error-retry CREATE (3) conflict'],
  ],
  [
    'a call that runs once',
    factsWith({ 'x-once': { retention_ms: 1, required: true } }),
    ['once-relaxed CREATE (3) x-once'],
    ['once CREATE (3) x-once'],
  ],
  ['a demand of another kind', factsWith({ 'x-steps': permits('edit') }), ['step-added CREATE (3) may'], []],
  ['a sign-in', factsWith({ security: [{}] }), ['access CREATE (3)'], ['access-relaxed CREATE (3)']],
  ['one of two roles', factsWith({ 'x-steps': steps }), ['access CREATE (3)'], ['access-relaxed CREATE (3)']],
  [
    'a tighter limit',
    factsWith({ 'x-rate-limit': [{ ...limit, cost: 2 }] }),
    ['rate-limit CREATE (3) per identity'],
    ['rate-limit-relaxed CREATE (3) per identity'],
  ],
  ['deprecated', factsWith({ 'x-deprecated': true }), ['deprecated CREATE (3)'], ['deprecated CREATE (3)']],
  [
    'a shorter handshake',
    documentOf({ operations: { auth: { ...frames.stop, 'x-handshake-timeout-ms': 5 } } }),
    ['frame-added auth'],
    ['frame-removed auth'],
  ],
  [
    'an event with other data',
    documentOf({ event: objectOf({ id: { type: 'number' } }) }),
    ['output-type CREATED (100) data.id'],
    ['output-type CREATED (100) data.id'],
  ],
  [
    'a notice instead of a question',
    documentOf({ answer: null }),
    ['reply-kind CREATED (100) answer'],
    ['reply-kind CREATED (100) answer'],
  ],
  [
    'another answer',
    documentOf({ answer: objectOf({ ok: text, why: text }) }),
    ['input-required CREATED (100) answer.why'],
    ['input-key-removed CREATED (100) answer.why'],
  ],
  [
    'a frame with another key',
    documentOf({ ping: objectOf({ type: { const: 'ping' }, id: text, at: text }) }),
    ['input-required ping at'],
    ['input-key-removed ping at'],
  ],
  ['another path', channelWith({ address: '/web' }), ['address /ws'], ['address /web']],
  [
    'a smaller message',
    channelWith({ 'x-limits': { max_message_bytes: 1000, max_topics: 5 } }),
    ['limit /ws max_topics'],
    ['limit-relaxed /ws max_topics'],
  ],
  [
    'a codec less',
    channelWith({
      bindings: { ws: { query: { type: 'object', properties: { format: { enum: ['json'], default: 'json' } } } } },
    }),
    ['input-value /ws query.format'],
    ['input-relaxed /ws query.format'],
  ],
  [
    'a close code less',
    channelWith({ 'x-close-codes': channel['x-close-codes'].slice(0, 1) }),
    ['close-code /ws 4001 Unauthorized'],
    ['close-code-added /ws 4001 Unauthorized'],
  ],
  [
    'another meaning of a close code',
    channelWith({
      'x-close-codes': [channel['x-close-codes'][0], { code: 4001, reason: 'Unauthorized', reconnect: 'no' }],
    }),
    ['close-code /ws 4001 Unauthorized'],
    ['close-code /ws 4001 Unauthorized'],
  ],
  ['a variable with another name', topicWith({ pattern: 'a:{key}' }), [], []],
  ['no topic', channelWith({ 'x-topics': [] }), ['topic-removed topic a:{id}'], ['topic-added topic a:{id}']],
  [
    'no presence',
    topicWith({ presence: false }),
    ['topic-narrowed topic a:{id} presence'],
    ['topic-relaxed topic a:{id} presence'],
  ],
  [
    'less history',
    topicWith({ history: { size: 5, ttlMs: 60 } }),
    ['topic-narrowed topic a:{id} history.size'],
    ['topic-relaxed topic a:{id} history.size'],
  ],
  [
    'slow clients',
    topicWith({ slow: 'disconnect' }),
    ['topic-narrowed topic a:{id} slow'],
    ['topic-narrowed topic a:{id} slow'],
  ],
  [
    'a role for the topic',
    topicWith({ steps: [{ name: 'roles(x)', demands: { roles: ['x'] } }] }),
    ['access topic a:{id}'],
    ['access-relaxed topic a:{id}'],
  ],
  [
    'a step of the topic',
    topicWith({ steps: [{ name: 'office hours', demands: {} }] }),
    ['step-added topic a:{id} office hours'],
    [],
  ],
]

it.each(rows)('%s', (_name, changed, forth, back) => {
  expect(ids(old, changed)).toEqual(forth)
  expect(ids(changed, old)).toEqual(back)
})

it('names the number that a close code has now', () => {
  const moved = channelWith({
    'x-close-codes': [channel['x-close-codes'][0], { code: 4011, reason: 'Unauthorized', reconnect: 'no' }],
  })
  const [change] = compareAsyncApi(old, moved)
  expect(change?.message).toBe('the close code `4001 Unauthorized` is now 4011')
})

it('a guard that demands something else is to be reviewed', () => {
  const [edit, read] = [factsWith({ 'x-steps': permits('edit') }), factsWith({ 'x-steps': permits('read') })]
  expect(ids(edit, read)).toEqual(['step-demands CREATE (3) may'])
  expect(ids(edit, factsWith({ 'x-steps': permits('edit') }))).toEqual([])
  const both = factsWith({ 'x-steps': [...permits('edit'), ...permits('read')] })
  const [change, ...more] = compareAsyncApi(both, factsWith({ 'x-steps': [...permits('own'), ...permits('edit')] }))
  expect(more).toEqual([])
  expect(change?.message).toBe(
    'the guard `may` demanded `permission ["read"]`, now `permission ["own"]`: check that it lets callers pass that passed before',
  )
})
