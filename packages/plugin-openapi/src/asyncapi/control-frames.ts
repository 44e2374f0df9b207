import { type CoreErrorCode, errorCodes, RSPCode } from '@twinwire/core'
import type { AppContract } from '@twinwire/core/plugin'
import { type Json, noted } from '../schemas/node.ts'
import { toErrorData } from '../shared/errors.ts'
import { type Messages, toObject, toOperation, uuid } from './messages.ts'

const frameId: Json = {
  anyOf: [
    { type: 'integer', minimum: 0 },
    { type: 'string', maxLength: 64 },
  ],
}
const topic: Json = { type: 'string', minLength: 1, maxLength: 256 }
const position = toObject({ epoch: { type: 'string' }, offset: { type: 'integer', minimum: 0 } })
const member = toObject({
  connection: { type: 'string' },
  identity: { type: ['string', 'null'] },
  info: {},
})

/** The codes of an `error` frame. */
const frameErrors: readonly CoreErrorCode[] = [
  'validation_error',
  'authentication_failed',
  'permission_denied',
  'conflict',
  'rate_limit_exceeded',
  'too_many_in_flight',
  'deadline_exceeded',
  'unavailable',
  'internal_error',
]
/** The codes of an answer to a frame that does not belong to a route. */
const refusedCodes: readonly CoreErrorCode[] = [
  'malformed_request',
  'validation_error',
  'not_found',
  'payload_too_large',
]

/** Frames that clients send, with those that answer them, and those that the app sends by itself. By the name of their operation. */
export function describeControlFrames(app: AppContract, messages: Messages): Readonly<Record<string, Json>> {
  const frame = (name: string, type: string, properties: Json, optional: readonly string[] = [], summary = ''): Json =>
    messages.add(name, toObject({ type: { const: type }, ...properties }, optional), {
      summary,
      correlation: 'id' in properties && !optional.includes('id') ? 'frameId' : null,
    })
  const failure = frame('FrameError', 'error', {
    id: { anyOf: [frameId, { type: 'null' }] },
    ...errorFields(),
  })
  const tags = { tags: [{ name: 'control frames' }] }
  const receive = (sent: Json, reply: readonly Json[]): Json => toOperation('receive', [sent], reply, tags)
  const send = (sent: Json): Json => toOperation('send', [sent], [], tags)
  const stream = { id: frameId, topic, epoch: { type: 'string' }, offset: { type: 'integer', minimum: 0 } }
  return {
    subscribe: receive(
      frame('Subscribe', 'subscribe', { id: frameId, topic, since: position, presence: { type: 'boolean' } }, [
        'since',
        'presence',
      ]),
      [frame('Subscribed', 'subscribed', { ...stream, recovered: { type: 'boolean' } }, ['epoch', 'offset']), failure],
    ),
    unsubscribe: receive(frame('Unsubscribe', 'unsubscribe', { id: frameId, topic }), [
      frame('Unsubscribed', 'unsubscribed', { id: frameId, topic }),
      failure,
    ]),
    presence: receive(
      frame('Presence', 'presence', { id: frameId, topic, cursor: { type: ['string', 'null'] } }, ['cursor']),
      [
        frame('Members', 'presence', {
          id: frameId,
          members: { type: 'array', items: member },
          cursor: { type: ['string', 'null'] },
        }),
        failure,
      ],
    ),
    ping: receive(frame('Ping', 'ping', { id: frameId }), [frame('Pong', 'pong', { id: frameId }), failure]),
    cancel: receive(frame('Cancel', 'cancel', { req_id: uuid }, [], 'Ends a streamed reply'), [failure]),
    answer: receive(frame('Answer', 'answer', { req_id: uuid, data: {} }, [], 'Answers a question'), [failure]),
    removed: send(
      frame('Removed', 'unsubscribed', { topic, code: { type: 'string' } }, [], 'The right was taken away'),
    ),
    joined: send(frame('Joined', 'joined', { topic, member })),
    left: send(frame('Left', 'left', { topic, member })),
    gap: send(
      frame(
        'Gap',
        'gap',
        { topic, epoch: { type: 'string' }, offset: { type: 'integer' } },
        [],
        'Publications may be lost',
      ),
    ),
    closing: send(
      frame('Closing', 'closing', {
        reconnect_after_ms: { type: 'array', items: { type: 'integer', minimum: 0 }, minItems: 2, maxItems: 2 },
      }),
    ),
    refused: send(describeRefusal(messages)),
    ...describePluginFrames(app, frame, tags),
  }
}

type AddFrame = (name: string, type: string, properties: Json, optional?: readonly string[], summary?: string) => Json

/** Of `auth()` the fields are known; those of another plugin are its own. */
function describePluginFrames(app: AppContract, frame: AddFrame, tags: Json): Readonly<Record<string, Json>> {
  const { controlFrames, handshake, maxMessageBytes } = app.websocket
  const operations: Record<string, Json> = {}
  for (const type of controlFrames) {
    const facts = { ...tags, ...(handshake?.type === type && { 'x-handshake-timeout-ms': handshake.timeoutMs }) }
    const id = type.replace(/[^A-Za-z0-9_-]/g, '_')
    if (type !== 'auth') {
      operations[id] = toOperation('receive', [frame(`Frame_${id}`, type, {}, [], 'Of a plugin')], [], facts)
      continue
    }
    const accepted = frame('AuthOk', 'auth_ok', {
      identity: { type: 'string' },
      expires_at: { type: 'integer', description: 'Epoch seconds' },
      max_message_bytes: { const: maxMessageBytes },
    })
    const token = { type: 'string', pattern: '^[Bb][Ee][Aa][Rr][Ee][Rr] ' }
    const sent = frame('Auth', 'auth', { token }, [], 'Opens the connection; at any later time it renews the identity')
    operations['auth'] = toOperation('receive', [sent], [accepted], facts)
    operations['auth_expiring'] = toOperation(
      'send',
      [frame('AuthExpiring', 'auth_expiring', { expires_at: { type: 'integer', description: 'Epoch seconds' } })],
      [],
      tags,
    )
  }
  return operations
}

function errorFields(): Json {
  const { properties } = toErrorData(frameErrors)
  return typeof properties === 'object' ? { ...properties } : {}
}

/** The answer to a frame that cannot be decoded, or to an unknown PkgID. */
function describeRefusal(messages: Messages): Json {
  const statuses = [...new Set(refusedCodes.map((code) => errorCodes[code].status))].toSorted()
  const payload = toObject({
    pkg_id: { type: 'integer', minimum: 0, ...noted('0 where it could not be read') },
    req_id: { ...uuid, ...noted('The zero UUID where it could not be read') },
    status_code: { enum: statuses },
    meta: { type: 'null' },
    data: messages.schema({ schema: toErrorData(refusedCodes), definitions: {} }, 'RefusalData'),
  })
  const facts = { 'x-status-codes': statuses.filter((status) => status !== RSPCode.OK) }
  return messages.add('Refusal', payload, { summary: 'A frame that no route takes', correlation: 'reqId', facts })
}
