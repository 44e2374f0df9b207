export { type App, createApp, type ListenAddress } from './app.ts'
export type {
  AppOptions,
  AppState,
  BaseOptions,
  EventTable,
  HttpWireOptions,
  PkgIds,
  RouteTable,
} from './app-options.ts'
export type { Access, Call, CallConnection, Publisher, RouteInfo, Wire } from './call/call.ts'
export { currentCall } from './call/current-call.ts'
export type { Identity } from './call/identity.ts'
export { type Page, type PageMeta, type PageSchema, page, pageOf } from './call/page.ts'
export { type Reply, type ReplyOptions, reply, type StreamReply, type StreamSource } from './call/reply.ts'
export type { ReplyHeaders } from './call/reply-headers.ts'
export { type Clock, systemClock, type Timer } from './clock/clock.ts'
export { BaseCommand } from './command/command.ts'
export type { DoctorCheck, DoctorHost } from './doctor/doctor.ts'
export type { CheckResult, DoctorReport, Finding, FindingLevel } from './doctor/finding.ts'
export type { FoundPackage, Machine, Manifest } from './doctor/machine.ts'
export { type RunDoctorOptions, runDoctor } from './doctor/run-doctor.ts'
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
export { BootError, type BootErrorCode } from './errors/boot-error.ts'
export { type CoreErrorCode, type ErrorCode, errorCodes } from './errors/codes.ts'
export { defineErrors, type ErrorDefinition, type ErrorFactory } from './errors/define-errors.ts'
export { Disconnect, type DisconnectRow, disconnects } from './errors/disconnect.ts'
export type { ErrorMapper } from './errors/normalize.ts'
export type { CorsOptions } from './http/cors.ts'
export { createNetworks, type Networks } from './http/networks.ts'
export type { Audience, Broker, Publication } from './hub/broker.ts'
export type { Connection } from './hub/connection.ts'
export { memoryBroker } from './hub/memory-broker.ts'
export { defineTopics, type TopicRule, type TopicRules } from './hub/topic.ts'
export { CounterCell, GaugeCell, HistogramCell } from './instruments/cells.ts'
export {
  type AnyCell,
  type DeclareOptions,
  type Family,
  type InstrumentFamily,
  Instruments,
  type Labels,
  type LabelValues,
} from './instruments/instruments.ts'
export type { HealthCheck, HealthReport, HealthStatus } from './lifecycle/health.ts'
export type { HealthOptions } from './lifecycle/health-options.ts'
export { closeOnSignals } from './lifecycle/signals.ts'
export type { AccessLog, LogOptions } from './log/log-options.ts'
export type { Logger, LogLevel } from './log/logger.ts'
export { createLogger, type LogFormat, type LoggerSettings } from './log/pino-logger.ts'
export { redact } from './log/redact.ts'
export { isSecretKey } from './log/secret-keys.ts'
export { unchecked } from './pipeline/output.ts'
export {
  type AnyStep,
  around,
  check,
  guard,
  type Next,
  type Outcome,
  type Step,
  type StepDemands,
  type StepIdentity,
  type StepKind,
} from './pipeline/step.ts'
export type {
  Arrival,
  CallOutcome,
  ControlHandler,
  ControlReply,
  ControlResult,
  DisconnectOutcome,
  HandshakeOptions,
  Hub,
  Identify,
  IdentifyOptions,
  PluginHost,
} from './plugin/host.ts'
export { definePlugin, type Plugin } from './plugin/plugin.ts'
export { type PluginKey, pluginKey } from './plugin/plugin-key.ts'
export type { Codec } from './protocol/codec.ts'
export type { ControlFrame, Frame, RefusedFrame, ReplyMeta, RequestFrame } from './protocol/frame.ts'
export { jsonCodec } from './protocol/json-codec.ts'
export { RSPCode } from './protocol/status.ts'
export type { AppDescription, RouteDescription } from './router/describe.ts'
export { type AnyEvent, type EventData, type EventDefinition, event } from './router/event.ts'
export { group } from './router/group.ts'
export { type AnyEndpoint, type AnyRoute, type Route, type RouteForm, route } from './router/route.ts'
export type { HttpBinding, HttpOptions, RouteFactory } from './router/route-types.ts'
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
} from './settings/core-groups.ts'
export type { SettingDescription, SettingsDescription, UnsupportedSetting } from './settings/describe-settings.ts'
export type { Environment } from './settings/environment.ts'
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
export type { Jsonified } from './util/jsonified.ts'
export type { AnySchema, InputOf, Issue, OutputOf, Schema } from './util/schema.ts'
export type { WebSocketOptions } from './websocket/options.ts'
