/**
 * What an app is written with: routes, steps, errors, events, topics, the app.
 *
 * @packageDocumentation
 */
export { type App, createApp, type ListenAddress } from './app/app.ts'
export type {
  AppOptions,
  BaseOptions,
  CookieSettings,
  EventTable,
  HttpWireOptions,
  PkgIds,
  RouteTable,
} from './app/app-options.ts'
export type { DocsOptions } from './app/docs-option.ts'
export { type RunDoctorOptions, runDoctor } from './app/doctor/run-doctor.ts'
export type { AppState } from './app/lifecycle/app-states.ts'
export type { HealthReport, HealthStatus } from './app/lifecycle/health.ts'
export type { HealthOptions } from './app/lifecycle/health-options.ts'
export { closeOnSignals } from './app/lifecycle/signals.ts'
export type { AppManifest, ManifestClose, ManifestRoute } from './app/manifest.ts'
export { createPublisher, type EventPublisher } from './app/publisher.ts'
export type { BasePublisherOptions, PublisherOptions } from './app/publisher-options.ts'
export { BootError, type BootErrorCode } from './base/boot-error.ts'
export type { CoreBootErrorCode } from './base/boot-error-codes.ts'
export type { Clock } from './base/clock.ts'
export type { Environment } from './base/environment.ts'
export type { DoctorReport } from './base/finding.ts'
export type { Jsonified } from './base/jsonified.ts'
export type { Logger, LogLevel } from './base/logger.ts'
export type { MaybePromise } from './base/maybe-promise.ts'
export type { AnySchema, InputOf, Issue, OutputOf, Schema } from './base/schema.ts'
export type { Sendable } from './base/sendable.ts'
export type { Access, AskOptions, Call, CallConnection, Publisher, RouteInfo, Wire } from './call/call.ts'
export type { Cookies, DeleteCookieOptions, ReplyCookies } from './call/cookies.ts'
export { currentCall } from './call/current-call.ts'
export {
  type AnyEvent,
  type EventData,
  type EventDefinition,
  event,
  type QuestionDefinition,
} from './call/event.ts'
export type { EventsOptions, EventsResult, EventsSource, TopicSource } from './call/events-source.ts'
export type { FileOptions, FileResult } from './call/file-result.ts'
export type { Identity } from './call/identity.ts'
export { type ItemSource, type ItemStream, type StreamSchema, stream } from './call/item-stream.ts'
export type { MultipartFile, ReadFileOptions, TemporaryFile } from './call/multipart-file.ts'
export {
  type EventsReply,
  type FileReply,
  type Page,
  type PageSchema,
  page,
  pageOf,
  type Reply,
  type ReplyOptions,
  reply,
  type StreamReply,
  type StreamSource,
} from './call/reply.ts'
export type { ReplyHeaders } from './call/reply-headers.ts'
export type { RequestBody } from './call/request-body.ts'
export type { CookieInit, CookieOptions } from './call/set-cookie.ts'
export { type CsrfOptions, csrf } from './edge/csrf.ts'
export {
  AppError,
  type AppErrorOptions,
  AuthenticationError,
  ConflictError,
  DatabaseError,
  DeadlineExceededError,
  InternalError,
  MalformedRequestError,
  NotFoundError,
  OutcomeUnknownError,
  PayloadTooLargeError,
  PermissionDeniedError,
  RateLimitError,
  UnavailableError,
  ValidationError,
} from './errors/app-error.ts'
export { type CoreErrorCode, errorCodes } from './errors/codes.ts'
export { defineErrors, type ErrorDefinition, type ErrorFactory } from './errors/define-errors.ts'
export { Disconnect, type DisconnectRow, disconnects } from './errors/disconnect.ts'
export { RSPCode } from './errors/status.ts'
export type { HttpCompressionOptions } from './http/compression/options.ts'
export type { CorsOptions } from './http/cors.ts'
export { attachment } from './http/files/attachment.ts'
export { type FileMemoryOptions, type StaticFilesOptions, staticFiles } from './http/files/static-files.ts'
export type { Member, MemberPage, NodeInfo } from './hub/broker.ts'
export type { Connection } from './hub/connection.ts'
export type { HubControl } from './hub/control.ts'
export type { CloseReason, DisconnectTarget } from './hub/disconnect-target.ts'
export type { Hub } from './hub/hub.ts'
export { type MemoryBrokerOptions, memoryBroker } from './hub/memory-broker.ts'
export type { HubPresence, PresenceOptions } from './hub/presence.ts'
export { defineTopics, type TopicRules } from './hub/topic.ts'
export {
  type GuardedTopic,
  type TopicDefinition,
  type TopicFields,
  type TopicParams,
  type TopicsOf,
  topic,
} from './hub/topic-builder.ts'
export type { TopicHistory, TopicOptions, TopicRule, TopicTtl } from './hub/topic-rule.ts'
export type { AccessLog, LogOptions } from './log/log-options.ts'
export { createLogger, type LogFormat, type LoggerSettings } from './log/pino-logger.ts'
export type { Plugin } from './plugin/plugin.ts'
export type { PageMeta } from './protocol/frame.ts'
export { jsonCodec } from './protocol/json-codec.ts'
export type { ServerSentEvent } from './protocol/server-sent-events.ts'
export { BaseCommand } from './route/command.ts'
export type { AppDescription, RouteDescription } from './route/describe.ts'
export { type FetchContext, type FetchHandler, type FetchOptions, fromFetch } from './route/from-fetch.ts'
export { group } from './route/group.ts'
export type { MultipartOptions } from './route/multipart-limits.ts'
export { unchecked } from './route/output.ts'
export { type AnyEndpoint, type AnyRoute, type Route, type RouteForm, route } from './route/route.ts'
export type {
  HttpBinding,
  HttpBody,
  HttpOptions,
  HttpRouteText,
  NoSchema,
  RouteFactory,
  RouteOf,
  RouteOptions,
} from './route/route-types.ts'
export { check, guard, interceptor, type Next, type Outcome, type Step } from './route/step.ts'
export type { Use } from './route/use.ts'
export type {
  AnswerOf,
  AnswerTo,
  ErrorCodeOf,
  InputArguments,
  ItemOf,
  ReceivedData,
  SentOverHttp,
  SentTo,
} from './route/wire-types.ts'
export type { TaskOptions, TaskRun, TaskTable } from './tasks/task.ts'
export type { CompressionMemory, CompressionOptions } from './transport/compression.ts'
export { type UwsOptions, uws } from './transport/uws-server.ts'
export type { UwsTlsOptions } from './transport/uws-tls.ts'
export type { WebSocketOptions } from './websocket/options.ts'
