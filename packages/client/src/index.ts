/**
 * The typed client for browsers and Node.js.
 *
 * @packageDocumentation
 */
export { CallError, type ClientErrorCode } from './call-error.ts'
export { createClient } from './client.ts'
export type {
  AnyApp,
  CallArguments,
  CallErrorOf,
  CallOptions,
  Client,
  ClientOptions,
  EventName,
  EventsOf,
  Member,
  RouteName,
  RoutesOf,
  SubscribeOptions,
  Subscription,
  TopicEvent,
} from './client-types.ts'
export type { ClientCodec, ServerPackage } from './codec.ts'
export type { ConnectionState } from './connection.ts'
export type { ClientSocket, SocketEvent, WebSocketConstructor } from './environment.ts'
export type { Manifest, ManifestRoute, PkgIds } from './manifest.ts'
export type { Position } from './position.ts'
export type { EventMeta } from './subscriptions.ts'
export type { GetToken } from './tokens.ts'
export type { Subscribed } from './topic.ts'
