/**
 * Spans of OpenTelemetry.
 *
 * @packageDocumentation
 */
export type { OtelOptions, RemoteParent } from './options.ts'
export { otel } from './otel-plugin.ts'
