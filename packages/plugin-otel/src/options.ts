import type { TracerProvider } from '@opentelemetry/api'
import { checkOptions, type OptionRules, option } from '@twinwire/core/plugin'

/** What the `traceparent` of a caller becomes: the parent of the span, a link of a new trace, or nothing. */
export type RemoteParent = 'continue' | 'link' | 'ignore'

export interface OtelOptions {
  /**
   * `continue`: the span of a call continues the trace that its caller names, and a sampler that follows its parent samples it if the caller says so.
   * `link`: each call begins a trace that is linked to it, for an app whose callers are not trusted with that. `ignore`: what they name has no effect.
   * Default `continue`.
   */
  readonly remoteParent?: RemoteParent | undefined
  /** Statements have `db.query.text`: with `$1` for parameters and `?` for literals. Default false. */
  readonly queryText?: boolean | undefined
  /** Makes the spans of this app. Default: the provider that the SDK has registered, at any time. */
  readonly tracerProvider?: TracerProvider | undefined
}

/** Options with their defaults. */
export interface ResolvedOtelOptions {
  readonly remoteParent: RemoteParent
  readonly queryText: boolean
  readonly tracerProvider: TracerProvider | null
}

const owner = 'otel()'

const rules = {
  remoteParent: option.choice(['continue', 'link', 'ignore'], { default: 'continue' }),
  queryText: option.flag({ default: false }),
  tracerProvider: option.custom({
    expects: 'a TracerProvider of OpenTelemetry, which has getTracer()',
    is: (value): value is TracerProvider =>
      typeof value === 'object' && value !== null && 'getTracer' in value && typeof value.getTracer === 'function',
  }),
} satisfies OptionRules<OtelOptions>

/** @throws BootError `bad_option`, `unknown_option` */
export function resolveOtelOptions(options: OtelOptions): ResolvedOtelOptions {
  const { remoteParent, queryText, tracerProvider = null } = checkOptions(owner, options, rules)
  return { remoteParent, queryText, tracerProvider }
}
