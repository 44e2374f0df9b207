import type { Clock } from '../base/clock.ts'
import type { CompileError } from '../base/compile-error.ts'
import { type Environment, environments, resolveEnvironment } from '../base/environment.ts'
import type { Logger, LogLevel } from '../base/logger.ts'
import { option } from '../base/option.ts'
import type { OptionRules } from '../base/option-rule.ts'
import { badOption, checkOptions } from '../base/options.ts'
import type { Broker } from '../hub/broker.ts'
import { brokerRule } from '../hub/broker-rule.ts'
import type { TopicRules } from '../hub/topic.ts'
import { type LogOptions, resolveLogOptions } from '../log/log-options.ts'
import { checkEvents } from '../route/check-table.ts'
import type { EventTable, PkgIds } from './app-options.ts'
import { closeTimeoutRule } from './resolve-options.ts'

/** What `createPublisher` takes besides its events. */
export interface BasePublisherOptions {
  /** One that connects processes, as the app has it: the same options, an object of its own. */
  readonly broker: Broker
  /** The topic rules of the app, for their history. Publishing to a topic without a rule rejects. `authorize` is not called. */
  readonly topics?: TopicRules
  /** Default `ENV`, else `NODE_ENV`, else `dev`. */
  readonly environment?: Environment
  /** Validate data by the schema of its event, beyond the projection. Default: in development and test. */
  readonly validateOutput?: boolean
  /** As in `createApp`: a level, a custom logger, or options of the built-in one. */
  readonly log?: Logger | LogLevel | 'silent' | Pick<LogOptions, 'level' | 'format' | 'logger'>
  /** Default: the system clock. */
  readonly clock?: Clock
  /** How long `close` waits for what was published, and then for the broker. Milliseconds. Default 5000. */
  readonly closeTimeoutMs?: number
}

/** What `createPublisher` takes. */
export type PublisherOptions<Ids extends PkgIds, Events extends EventTable> = BasePublisherOptions & {
  /** Those of the app: names of its routes may be among them. */
  readonly pkgIds: Ids
  /** The events that are published, by the name of their PkgID. */
  readonly events: Events & {
    readonly [Name in Exclude<keyof Events, keyof Ids>]: CompileError<`'${Name & string}' is not declared in pkgIds`>
  }
}

/** Checked, with defaults. */
export interface ResolvedPublisherOptions {
  readonly broker: Broker
  readonly pkgIds: PkgIds
  readonly events: EventTable
  readonly topics: TopicRules
  readonly validateOutput: boolean
  readonly log: Logger
  readonly clock: Clock | undefined
  readonly closeTimeoutMs: number
}

const owner = 'createPublisher()'

const rules = {
  broker: brokerRule,
  pkgIds: option.unchecked(),
  events: option.unchecked(),
  topics: option.unchecked(),
  environment: option.choice(environments),
  validateOutput: option.flag(),
  log: option.unchecked(),
  clock: option.unchecked(),
  closeTimeoutMs: closeTimeoutRule,
} satisfies OptionRules<Partial<BasePublisherOptions> & { pkgIds: PkgIds; events: EventTable }>

export function resolvePublisherOptions<Ids extends PkgIds, Events extends EventTable>(
  options: PublisherOptions<Ids, Events>,
): ResolvedPublisherOptions {
  const { broker, validateOutput, closeTimeoutMs } = checkOptions(owner, options, rules)
  if (broker === undefined) throw badOption(owner, 'broker', 'is required: pass the broker of the app')
  if (broker.oneProcess)
    throw badOption(
      owner,
      'broker',
      `is ${broker.name}, which reaches this process only, and the connections of the app are in others: use redisBroker() of @twinwire/broker-redis here and in the app`,
    )
  const { pkgIds, events, topics = {}, log, clock } = options
  checkEvents(pkgIds, events)
  const { environment } = resolveEnvironment(options.environment, process.env)
  return {
    broker,
    pkgIds,
    events,
    topics,
    validateOutput: validateOutput ?? (environment === 'dev' || environment === 'test'),
    log: resolveLogOptions(log, environment, null, owner).logger,
    clock,
    closeTimeoutMs,
  }
}
