export { type App, createApp, type ListenAddress } from './app/app.ts'
export type {
  AppOptions,
  AppState,
  BaseOptions,
  EventTable,
  HttpWireOptions,
  PkgIds,
  RouteTable,
} from './app/app-options.ts'
export {
  type HttpSettings,
  httpSettings,
  type LogSettings,
  lifecycleSettings,
  listenSettings,
  logSettings,
  type NativeServerSettings,
  nativeServerSettings,
  websocketSettings,
} from './app/core-settings.ts'
export type { FoundPackage, Machine, Manifest } from './app/doctor/machine.ts'
export { type RunDoctorOptions, runDoctor } from './app/doctor/run-doctor.ts'
export type { HealthReport, HealthStatus } from './app/lifecycle/health.ts'
export type { HealthOptions } from './app/lifecycle/health-options.ts'
export { closeOnSignals } from './app/lifecycle/signals.ts'
export { BootError, type BootErrorCode } from './base/boot-error.ts'
export { CounterCell, GaugeCell, HistogramCell } from './base/cells.ts'
export { type Clock, systemClock, type Timer } from './base/clock.ts'
export type { Environment } from './base/environment.ts'
export type { CheckResult, DoctorReport, Finding, FindingLevel } from './base/finding.ts'
export {
  type AnyCell,
  type DeclareOptions,
  type Family,
  type InstrumentFamily,
  Instruments,
  type Labels,
  type LabelValues,
} from './base/instruments.ts'
export type { Jsonified } from './base/jsonified.ts'
export type { Logger, LogLevel } from './base/logger.ts'
export { type PluginKey, pluginKey } from './base/plugin-key.ts'
export type { AnySchema, InputOf, Issue, OutputOf, Schema } from './base/schema.ts'
export type { Access, Call, CallConnection, Publisher, RouteInfo, Wire } from './call/call.ts'
export type { CallOutcome } from './call/call-outcome.ts'
export { currentCall } from './call/current-call.ts'
export { type AnyEvent, type EventData, type EventDefinition, event } from './call/event.ts'
export type { Identity } from './call/identity.ts'
export { type Page, type PageMeta, type PageSchema, page, pageOf } from './call/page.ts'
export type { Audience, Publication } from './call/publication.ts'
export { type Reply, type ReplyOptions, reply, type StreamReply, type StreamSource } from './call/reply.ts'
export type { ReplyHeaders } from './call/reply-headers.ts'
export { createNetworks, type Networks } from './edge/networks.ts'
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
export { type CoreErrorCode, type ErrorCode, errorCodes } from './errors/codes.ts'
export { defineErrors, type ErrorDefinition, type ErrorFactory } from './errors/define-errors.ts'
export { Disconnect, type DisconnectRow, disconnects } from './errors/disconnect.ts'
export type { ErrorMapper } from './errors/normalize.ts'
export { RSPCode } from './errors/status.ts'
export type { CorsOptions } from './http/cors.ts'
export type { Broker } from './hub/broker.ts'
export type { Connection } from './hub/connection.ts'
export type { Hub } from './hub/hub.ts'
export { memoryBroker } from './hub/memory-broker.ts'
export { defineTopics, type TopicRule, type TopicRules } from './hub/topic.ts'
export type { AccessLog, LogOptions } from './log/log-options.ts'
export { createLogger, type LogFormat, type LoggerSettings } from './log/pino-logger.ts'
export { redact } from './log/redact.ts'
export { isSecretKey } from './log/secret-keys.ts'
export type { DoctorCheck, DoctorHost } from './plugin/doctor.ts'
export type { HealthCheck } from './plugin/health.ts'
export type {
  ControlHandler,
  ControlReply,
  ControlResult,
  DisconnectOutcome,
  HandshakeOptions,
  Identify,
  IdentifyOptions,
  IncomingRequest,
  PluginHost,
} from './plugin/host.ts'
export { definePlugin, type Plugin } from './plugin/plugin.ts'
export type { Codec } from './protocol/codec.ts'
export type { ControlFrame, Frame, RefusedFrame, ReplyMeta, RequestFrame } from './protocol/frame.ts'
export { jsonCodec } from './protocol/json-codec.ts'
export { BaseCommand } from './route/command.ts'
export type { AppDescription, RouteDescription } from './route/describe.ts'
export { group } from './route/group.ts'
export { unchecked } from './route/output.ts'
export { type AnyEndpoint, type AnyRoute, type Route, type RouteForm, route } from './route/route.ts'
export type { HttpBinding, HttpOptions, RouteFactory } from './route/route-types.ts'
export {
  type AnyStep,
  check,
  guard,
  interceptor,
  type Next,
  type Outcome,
  type Step,
  type StepDemands,
  type StepIdentity,
  type StepKind,
} from './route/step.ts'
export type { SettingDescription, SettingsDescription, UnsupportedSetting } from './settings/describe-settings.ts'
export {
  type AnyGroup,
  type GroupState,
  type GroupValue,
  type SettingsGroup,
  settingsGroup,
  type ValuesOf,
  type VariableTable,
} from './settings/group.ts'
export type { Reader, Reading } from './settings/reader.ts'
export {
  defineSettings,
  type SettingsDeclaration,
  type SettingsGroups,
  type SettingsOf,
  type SettingsSource,
} from './settings/settings.ts'
export { type Variable, type VariableOptions, variable } from './settings/variable.ts'
export type * from './transport/transport.ts'
export { type UwsOptions, uws } from './transport/uws-server.ts'
export type { UwsTlsOptions } from './transport/uws-tls.ts'
export type { WebSocketOptions } from './websocket/options.ts'
