/**
 * What a plugin is written with.
 *
 * @packageDocumentation
 */
export { CounterCell, GaugeCell, HistogramCell } from './base/cells.ts'
export {
  CircuitBreaker,
  type CircuitBreakerOptions,
  CircuitOpenError,
  type CircuitState,
  circuitBreakerRules,
} from './base/circuit-breaker.ts'
export { systemClock, type Timer } from './base/clock.ts'
export {
  type ClusterWorker,
  type MetricsPage,
  type MetricsPort,
  requireSingleProcess,
  type WorkerIdentity,
} from './base/cluster-worker.ts'
export type { DoctorCheck, DoctorHost } from './base/doctor.ts'
export type { CheckResult, Finding, FindingLevel } from './base/finding.ts'
export {
  type AnyCell,
  type DeclareOptions,
  type Family,
  type InstrumentFamily,
  Instruments,
  type Labels,
  type LabelValues,
} from './base/instruments.ts'
export type { FoundPackage, Machine, Manifest } from './base/machine.ts'
export type {
  CommandOperation,
  Operation,
  OperationSpan,
  Operations,
  PublicationOperation,
  StatementOperation,
  TransactionOperation,
} from './base/operations.ts'
export { type Bounds, option } from './base/option.ts'
export type { OptionReading, OptionRule, OptionRules, OptionsOf, OptionTable } from './base/option-rule.ts'
export { badOption, checkOption, checkOptions } from './base/options.ts'
export { type PluginKey, pluginKey } from './base/plugin-key.ts'
export type { DecidedOutcome } from './call/before-reply.ts'
export type { CallOutcome } from './call/call-outcome.ts'
export { readCookie } from './call/cookie-header.ts'
export { readSignedCookie } from './call/set-cookie.ts'
export { setTrace, type Trace, traceOf } from './call/trace.ts'
export type { Tracer } from './call/tracer.ts'
export {
  type AccessOnApp,
  addGuardedEndpoint,
  describeEndpointAccess,
  type EndpointAccess,
  type EndpointGuard,
  type EndpointNames,
  endpointPortRules,
  resolveEndpointAccess,
} from './edge/endpoint-access.ts'
export { type EndpointPort, type EndpointPortOptions, openEndpointPort } from './edge/endpoint-port.ts'
export { createNetworks, type Networks, networkRule } from './edge/networks.ts'
export { findOriginError, type OriginRequest } from './edge/origin.ts'
export { PortRoutes, type PortRoutesOptions, type ReadAnswer } from './edge/port-routes.ts'
export type { ErrorCode } from './errors/codes.ts'
export type { ErrorMapper } from './errors/normalize.ts'
export type { PluginControlHandler } from './hub/control.ts'
export { type RedactOptions, redact } from './log/redact.ts'
export { redactPath } from './log/redact-path.ts'
export { redactText } from './log/redact-text.ts'
export { isSecretKey } from './log/secret-keys.ts'
export type {
  AppContract,
  ErrorContract,
  EventContract,
  RequestContract,
  RouteContract,
  TopicContract,
} from './plugin/contract.ts'
export type { ControlHandler, ControlReply, ControlResult, HandshakeOptions } from './plugin/control-frames.ts'
export type { HealthCheck } from './plugin/health.ts'
export type {
  DisconnectOutcome,
  Identify,
  IdentifyOptions,
  PackageOptions,
  PluginHost,
  ReplyHookOptions,
} from './plugin/host.ts'
export type { IncomingRequest } from './plugin/incoming-request.ts'
export { definePlugin } from './plugin/plugin.ts'
export type { PluginControl } from './plugin/plugin-control.ts'
export type { StepDescription } from './route/describe.ts'
export type { AnyStep, StepDemands, StepIdentity, StepKind, StepLimit, StepOnce } from './route/step.ts'
