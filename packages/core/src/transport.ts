/**
 * The ports of transports, brokers and codecs, and the transport on uWebSockets.js.
 *
 * @packageDocumentation
 */
export type { Audience, Publication } from './call/publication.ts'
export type {
  Broker,
  BrokerNode,
  ControlMessage,
  Entry,
  HistoryLimits,
  HistoryPage,
  Member,
  MemberPage,
  NodeInfo,
  Position,
  PresenceChange,
  Stream,
  StreamHistory,
} from './hub/broker.ts'
export { streamKey } from './hub/stream-key.ts'
export type { Codec } from './protocol/codec.ts'
export type {
  ControlFrame,
  EventMeta,
  Frame,
  MoreMeta,
  RefusedFrame,
  ReplyMeta,
  RequestFrame,
} from './protocol/frame.ts'
export { maxPkgId, unknownPkgId, uuidPattern, zeroUuid } from './protocol/frame.ts'
export { findUnsafe, isUnsafeKey } from './protocol/safe-value.ts'
export { refuseFrame, toFrame } from './protocol/to-frame.ts'
export { findBadHeader, isBodyless, isFraming } from './transport/answer-rules.ts'
export type { CompressionMemory, SocketCompression } from './transport/compression.ts'
export { PreparedHead } from './transport/prepared-head.ts'
export { findHeader, findMalformed, toHeaderRecord } from './transport/request-headers.ts'
export { checkListenOptions, defaultSocketLimits } from './transport/socket-limits.ts'
export * from './transport/transport.ts'
