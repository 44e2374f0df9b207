import type { DocsLinks } from '../base/docs-links.ts'
import { type Environment, environments, resolveEnvironment } from '../base/environment.ts'
import { option } from '../base/option.ts'
import type { OptionRule, OptionRules, OptionsOf } from '../base/option-rule.ts'
import { badOption, checkOptions } from '../base/options.ts'
import type { AnswerCompression } from '../call/compiled-route.ts'
import { createErrorLink, type ErrorLink } from '../call/error-link.ts'
import type { CookieRules } from '../call/set-cookie.ts'
import { trustedProxiesRule } from '../edge/client-address.ts'
import { hostsRule, toHostNames } from '../edge/host.ts'
import type { ErrorFactory } from '../errors/define-errors.ts'
import { httpCompressionRule, toAnswerCompression } from '../http/compression/options.ts'
import { type Cors, createCors } from '../http/cors.ts'
import type { Broker } from '../hub/broker.ts'
import { brokerRule } from '../hub/broker-rule.ts'
import { checkPlugins, orderPlugins } from '../plugin/check-plugins.ts'
import type { Plugin } from '../plugin/plugin.ts'
import { pluginPkgIdsRule } from '../plugin/plugin-packages.ts'
import { checkTable } from '../route/check-table.ts'
import type { AnyEndpoint } from '../route/route.ts'
import { accessRule } from '../route/route-definition.ts'
import { checkTasks, type Task, tasksRule } from '../tasks/task.ts'
import { type ResolvedWebSocketOptions, resolveWebSocketOptions } from '../websocket/options.ts'
import type { AppOptions, BaseOptions, EventTable, HttpWireOptions, PkgIds, RouteTable } from './app-options.ts'
import { checkPluginDocs, docsRule, toDocsLinks } from './docs-option.ts'
import { type ResolvedHealthOptions, resolveHealthOptions } from './lifecycle/health-options.ts'
import { resolveBroker } from './resolve-broker.ts'

/** Options as the app uses them: checked, defaults filled in. */
export interface ResolvedOptions {
  readonly given: BaseOptions
  readonly pkgIds: PkgIds
  readonly routes: RouteTable
  readonly events: EventTable
  readonly endpoints: readonly AnyEndpoint[]
  readonly errors: readonly ErrorFactory[]
  readonly plugins: readonly Plugin[]
  /** Of links at the end of messages. */
  readonly docs: DocsLinks
  readonly errorLink: ErrorLink | null
  readonly environment: Environment
  /** Set when ENV and NODE_ENV contradict each other. */
  readonly conflict: string | null
  readonly websocket: ResolvedWebSocketOptions
  /** As `toHostName` writes them; null: any. */
  readonly hosts: readonly string[] | null
  readonly cors: Cors | null
  readonly cookies: CookieRules
  readonly validateOutput: boolean
  readonly health: ResolvedHealthOptions
  readonly deadlineMs: number
  readonly drainTimeoutMs: number
  readonly drainDelayMs: number
  readonly drainSpreadMs: number
  readonly commitTimeoutMs: number
  readonly closeTimeoutMs: number
  readonly trustedProxies: readonly string[]
  readonly maxBodyBytes: number
  /** Null: off. */
  readonly compression: AnswerCompression | null
  readonly unknownKeys: 'validate' | 'ignore'
  readonly broker: Broker
  /** Of the app; those of plugins come later. */
  readonly tasks: readonly Task[]
}

const maxMs = 3_600_000
export const drainTimeoutRule: OptionRule<number> = option.duration({ max: maxMs, default: 10_000 })
export const drainDelayRule: OptionRule<number> = option.duration({ max: maxMs, default: 0 })
export const commitTimeoutRule: OptionRule<number | undefined> = option.duration({ max: maxMs })
export const closeTimeoutRule: OptionRule<number> = option.duration({ max: maxMs, default: 5000 })
export const maxBodyBytesRule: OptionRule<number> = option.bytes({ default: 1_048_576 })
export const defaultCommitTimeoutMs = 5000
export const deadlineRule: OptionRule<number> = option.duration({ default: 30_000 })
export const drainSpreadRule: OptionRule<number> = option.duration({ max: maxMs, default: 2000 })

const minSecretLength = 32
export const cookieSecretsRule: OptionRule<readonly string[]> = option.list({
  of: option.string({
    expects: `a string of at least ${minSecretLength} characters`,
    test: (secret) => secret.length >= minSecretLength,
    secret: true,
  }),
  expects: `a list of strings of at least ${minSecretLength} characters`,
  secret: true,
  default: [],
})

const httpRules = {
  trustedProxies: trustedProxiesRule,
  hosts: hostsRule,
  cors: option.unchecked(),
  cookies: option.object({ secrets: cookieSecretsRule }),
  securityHeaders: option.unchecked(),
  compression: httpCompressionRule,
  maxBodyBytes: maxBodyBytesRule,
  unknownKeys: option.choice(['validate', 'ignore'], { default: 'validate' }),
} satisfies OptionRules<HttpWireOptions>

const rules = {
  pkgIds: option.unchecked(),
  routes: option.unchecked(),
  events: option.unchecked(),
  endpoints: option.unchecked(),
  plugins: option.unchecked(),
  pluginPkgIds: pluginPkgIdsRule,
  topics: option.unchecked(),
  errors: option.unchecked(),
  environment: option.choice(environments),
  defaultAccess: accessRule,
  deadlineMs: deadlineRule,
  websocket: option.unchecked(),
  http: option.object(httpRules),
  drainTimeoutMs: drainTimeoutRule,
  drainDelayMs: drainDelayRule,
  drainSpreadMs: drainSpreadRule,
  commitTimeoutMs: commitTimeoutRule,
  closeTimeoutMs: closeTimeoutRule,
  validateOutput: option.flag(),
  health: option.unchecked(),
  log: option.unchecked(),
  asyncContext: option.flag(),
  unhandledRejections: option.choice(['log', false]),
  docs: docsRule,
  transport: option.unchecked(),
  clock: option.unchecked(),
  codecs: option.unchecked(),
  broker: brokerRule,
  tasks: tasksRule,
} satisfies OptionRules<BaseOptions & { pkgIds: PkgIds; routes: RouteTable; events: EventTable }>

/** Checks everything that can be checked before a plugin is set up. */
export function resolveOptions<Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable, Topics>(
  options: AppOptions<Ids, Routes, Events, Topics>,
): ResolvedOptions {
  const checked = checkOptions('createApp()', options, rules)
  const { pkgIds, routes, events = {}, endpoints = [], plugins = [], errors = [] } = options
  checkTable({ pkgIds, routes, events, endpoints, errors })
  checkPlugins(plugins)
  checkPluginDocs(plugins)
  const { environment, conflict } = resolveEnvironment(options.environment, process.env)
  const isDevelopment = environment === 'dev' || environment === 'test'
  const { deadlineMs, drainTimeoutMs, drainDelayMs, drainSpreadMs, closeTimeoutMs, http } = checked
  const { validateOutput = isDevelopment } = checked
  const docs = toDocsLinks(options.docs, plugins)
  return {
    given: options,
    pkgIds,
    routes,
    events,
    endpoints,
    errors,
    plugins: orderPlugins(plugins),
    docs,
    errorLink: createErrorLink(environment, docs),
    tasks: checkTasks(checked.tasks),
    environment,
    conflict,
    websocket: resolveWebSocketOptions(options.websocket ?? {}, isDevelopment),
    hosts: resolveHosts(http.hosts, environment),
    cors: http.cors === undefined ? null : createCors(http.cors),
    cookies: { secrets: http.cookies.secrets, secureByDefault: environment === 'production' },
    validateOutput,
    health: resolveHealthOptions(options.health),
    deadlineMs,
    drainTimeoutMs,
    drainDelayMs,
    drainSpreadMs,
    commitTimeoutMs: resolveCommitTimeout(checked),
    closeTimeoutMs,
    trustedProxies: http.trustedProxies,
    maxBodyBytes: http.maxBodyBytes,
    compression: toAnswerCompression(http.compression),
    unknownKeys: http.unknownKeys,
    broker: resolveBroker(checked.broker, environment),
  }
}

function resolveCommitTimeout({
  commitTimeoutMs,
  drainTimeoutMs,
}: Pick<OptionsOf<typeof rules>, 'commitTimeoutMs' | 'drainTimeoutMs'>): number {
  // An app that closes without a drain still has deadlines.
  const limitMs = drainTimeoutMs === 0 ? Number.POSITIVE_INFINITY : drainTimeoutMs
  if (commitTimeoutMs === undefined) return Math.min(defaultCommitTimeoutMs, Math.floor(limitMs / 2))
  if (commitTimeoutMs < limitMs) return commitTimeoutMs
  const problem = `must be less than drainTimeoutMs (${drainTimeoutMs}), which includes the wait for a COMMIT that was sent`
  throw badOption('createApp()', 'commitTimeoutMs', problem, commitTimeoutMs)
}

/** Null: any host. */
function resolveHosts(hosts: readonly string[] | undefined, environment: Environment): readonly string[] | null {
  if (hosts !== undefined) return hosts.includes('*') ? null : toHostNames(hosts)
  if (environment !== 'production') return null
  const problem =
    "is required in production: set it to the names of this app, such as ['api.example.com'], or to ['*'] for any"
  throw badOption('createApp()', 'http.hosts', problem)
}
