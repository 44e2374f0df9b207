import type { MaybePromise } from '../../base/maybe-promise.ts'
import type { CallServices } from '../../call/call-services.ts'
import type { Connection } from '../../hub/connection.ts'
import type { ConnectionHub } from '../../hub/hub.ts'
import type { TopicCalls } from '../../hub/topic-calls.ts'
import type { TopicJoins } from '../../hub/topic-joins.ts'
import type { CredentialNames } from '../../plugin/control-frames.ts'
import type { DisconnectOutcome } from '../../plugin/host.ts'
import type { EventBeats } from './event-beats.ts'
import type { EventCodec } from './event-codec.ts'
import type { EventInstruments } from './event-instruments.ts'
import type { EventReader } from './event-reader.ts'

/** What all readers of server-sent events of an app share. */
export interface EventWire {
  readonly services: CallServices
  readonly hub: ConnectionHub
  readonly joins: TopicJoins
  /** Those that ask rules with guards. */
  readonly topicCalls: TopicCalls
  readonly codec: EventCodec
  readonly beats: EventBeats
  readonly instruments: EventInstruments
  readonly onConnect: readonly ((connection: Connection) => MaybePromise<void>)[]
  readonly onDisconnect: readonly ((connection: Connection, outcome: DisconnectOutcome) => void)[]
  /** Names of headers that are not kept. */
  readonly credentials: CredentialNames
  /** What waits for one reader, as for a WebSocket. */
  readonly maxBackpressureBytes: number
  /** Over which clients come back after the app has closed. */
  readonly reconnectWindowMs: number
  /** Every reader whose response has begun. */
  readonly open: Set<EventReader>
  /** The app is closing: no reader is opened any more. */
  draining: boolean
}
