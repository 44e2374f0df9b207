// The limits of docs_site/limits.md, which is written from these, with their defaults where they are declared. Nothing at run time reads them.
import type { OptionRule } from '../base/option-rule.ts'
import { itemHeartbeatMs } from '../http/item-response.ts'
import { authorizeDeadlineMs } from '../hub/topic-calls.ts'
import { handshakeTimeoutMs } from '../plugin/plugin-host.ts'
import { defaultBodyTimeoutMs } from '../route/compile-http.ts'
import { multipartRules } from '../route/multipart-limits.ts'
import { maxQueryPairs } from '../route/query.ts'
import { socketLimitRules } from '../transport/socket-limits.ts'
import { maxHeaderBytesRule } from '../transport/uws-loader.ts'
import { frameDeadlineMs } from '../websocket/compile-frames.ts'
import { maxHeldBytes } from '../websocket/handshake.ts'
import {
  maxInFlightRule,
  maxMalformedFramesRule,
  maxMessageBytesRule,
  maxTopicsRule,
  reconnectWindowRule,
} from '../websocket/options.ts'
import { questionTimeoutMs } from '../websocket/questions.ts'
import { maxTopicBytes } from '../websocket/subscribe-frames.ts'
import { checkTimeoutRule } from './lifecycle/health-options.ts'
import {
  closeTimeoutRule,
  deadlineRule,
  defaultCommitTimeoutMs,
  drainDelayRule,
  drainSpreadRule,
  drainTimeoutRule,
  maxBodyBytesRule,
} from './resolve-options.ts'

/** One limit of a table. */
export interface LimitRow {
  /** What is limited, and what happens past it, in Markdown. */
  readonly what: string
  readonly value: number
  readonly unit: 'ms' | 's' | 'bytes' | 'count'
  /** The option that changes it; null: fixed. */
  readonly where: string | null
  /** Follows the default. */
  readonly note?: string
}

function defaultOf({ unset }: OptionRule<number>): number {
  if (unset === null) throw new TypeError('A limit of the table has no default')
  return unset.value
}

/** What uWebSockets.js does by itself. */
const native = { headerFields: 98, httpIdleSeconds: 30 }

const webSocket: readonly LimitRow[] = [
  {
    what: 'a message; a larger one is answered with `payload_too_large`',
    value: defaultOf(maxMessageBytesRule),
    unit: 'bytes',
    where: '`websocket.maxMessageBytes`',
  },
  {
    what: 'a frame; a larger one ends the connection with 1006',
    value: defaultOf(socketLimitRules.maxPayloadBytes),
    unit: 'bytes',
    where: '`websocket.maxPayloadBytes`',
  },
  {
    what: 'bytes queued for a connection (back pressure); past it the connection is closed with 1013',
    value: defaultOf(socketLimitRules.maxBackpressureBytes),
    unit: 'bytes',
    where: '`websocket.maxBackpressureBytes`',
  },
  {
    what: 'calls and control frames of a connection at once; one more is answered with `too_many_in_flight`',
    value: defaultOf(maxInFlightRule),
    unit: 'count',
    where: '`websocket.maxInFlight`',
  },
  {
    what: 'malformed frames in a row; then the connection is closed with 1008',
    value: defaultOf(maxMalformedFramesRule),
    unit: 'count',
    where: '`websocket.maxMalformedFrames`',
  },
  {
    what: 'topics that a connection has joined; one more is answered with `conflict`',
    value: defaultOf(maxTopicsRule),
    unit: 'count',
    where: '`websocket.maxTopics`',
  },
  { what: 'the name of a topic', value: maxTopicBytes, unit: 'bytes', where: null },
  {
    what: 'the handshake; then the connection is closed with 4002',
    value: handshakeTimeoutMs,
    unit: 'ms',
    where: '`handshakeTimeoutMs` of `auth()`, `timeoutMs` of `host.controlFrame`',
  },
  {
    what: 'frames that wait for the handshake, together; then the connection is closed with 1008',
    value: maxHeldBytes,
    unit: 'bytes',
    where: null,
    note: ', and `websocket.maxInFlight` frames',
  },
  { what: 'a control frame, such as `subscribe`', value: frameDeadlineMs, unit: 'ms', where: null },
  { what: 'the `authorize` of a topic', value: authorizeDeadlineMs, unit: 'ms', where: null },
  {
    what: 'the answer of a client to a question',
    value: questionTimeoutMs,
    unit: 'ms',
    where: '`timeoutMs` of `ask`',
  },
  {
    what: 'a connection without any frame, pongs included; then it is closed with 1006',
    value: defaultOf(socketLimitRules.idleTimeoutSeconds),
    unit: 's',
    where: '`websocket.idleTimeoutSeconds`',
  },
  {
    what: 'silence after which a client is pinged',
    value: defaultOf(socketLimitRules.pingIntervalSeconds),
    unit: 's',
    where: '`websocket.pingIntervalSeconds`',
  },
]

const http: readonly LimitRow[] = [
  {
    what: 'a body; a larger one is answered with `payload_too_large`',
    value: defaultOf(maxBodyBytesRule),
    unit: 'bytes',
    where: '`http.maxBodyBytes` of the app, `maxBodyBytes` of the route',
  },
  {
    what: 'a pause of a client within a streamed body; then `request_timeout`',
    value: defaultBodyTimeoutMs,
    unit: 'ms',
    where: '`http.bodyTimeoutMs` of the route; 0 for none',
  },
  { what: 'pairs of a query or a urlencoded body', value: maxQueryPairs, unit: 'count', where: null },
  {
    what: 'all headers',
    value: defaultOf(maxHeaderBytesRule),
    unit: 'bytes',
    where: '`uws({ maxHeaderBytes })`',
    note: `, ${native.headerFields} fields`,
  },
  {
    what: 'a connection without any byte, measured roughly; then it is closed, see [what a server rejects](wire.md)',
    value: native.httpIdleSeconds,
    unit: 's',
    where: null,
  },
  {
    what: 'silence within a streamed reply as server-sent events, before a comment is sent',
    value: itemHeartbeatMs,
    unit: 'ms',
    where: null,
  },
  ...(
    [
      ['fields and files of a form together', 'maxParts', 'count'],
      ['files of a form', 'maxFiles', 'count'],
      ['fields of a form', 'maxFields', 'count'],
      ['the name of a field or of a file', 'maxNameBytes', 'bytes'],
      ['the value of a field', 'maxFieldBytes', 'bytes'],
    ] as const
  ).map(([what, name, unit]) => ({
    what,
    value: defaultOf(multipartRules[name]),
    unit,
    where: `\`http.files.${name}\` of the route`,
  })),
]

const lifecycle: readonly LimitRow[] = [
  {
    what: 'a call; then `deadline_exceeded`',
    value: defaultOf(deadlineRule),
    unit: 'ms',
    where: '`deadlineMs` of the app or the route; 0 for none',
  },
  { what: 'a health check', value: defaultOf(checkTimeoutRule), unit: 'ms', where: '`health.checkTimeoutMs`' },
  {
    what: 'serving on while readiness is 503, before the drain',
    value: defaultOf(drainDelayRule),
    unit: 'ms',
    where: '`drainDelayMs`',
  },
  { what: 'the drain', value: defaultOf(drainTimeoutRule), unit: 'ms', where: '`drainTimeoutMs`' },
  {
    what: 'the last part of the drain, over which connections are closed',
    value: defaultOf(drainSpreadRule),
    unit: 'ms',
    where: '`drainSpreadMs`',
  },
  {
    what: 'the time within which clients are told to come back',
    value: defaultOf(reconnectWindowRule),
    unit: 'ms',
    where: '`websocket.reconnectWindowMs`',
  },
  {
    what: 'waiting for the result of a COMMIT, past the deadline or at the end of the drain',
    value: defaultCommitTimeoutMs,
    unit: 'ms',
    where: '`commitTimeoutMs`, below `drainTimeoutMs`',
    note: ', at most half of the drain',
  },
  { what: '`onClose` of a plugin', value: defaultOf(closeTimeoutRule), unit: 'ms', where: '`closeTimeoutMs`' },
]

export const limits: Readonly<Record<'webSocket' | 'http' | 'lifecycle', readonly LimitRow[]>> = {
  webSocket,
  http,
  lifecycle,
}
