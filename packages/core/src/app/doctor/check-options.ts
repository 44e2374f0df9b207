import { error, type Finding, ok, warn } from '../../base/finding.ts'
import { pingAfterSeconds } from '../../transport/socket-limits.ts'
import type { Transport } from '../../transport/transport.ts'
import type { ResolvedOptions } from '../resolve-options.ts'

export function checkEnvironment({ environment, conflict }: ResolvedOptions): Finding {
  if (conflict === null) return ok('environment', `The environment is ${environment}`)
  return warn('environment', `${conflict}: set both to the same value`)
}

/** Options that are too permissive for production, or meant for development. */
export function checkProduction(options: ResolvedOptions, transport: Transport): readonly Finding[] {
  if (options.environment !== 'production') return []
  const { given, hosts, websocket, trustedProxies } = options
  const everywhere = trustedProxies.filter((proxy) => proxy.endsWith('/0'))
  return [
    hosts === null
      ? warn('hosts', "http.hosts contains '*' in production: list the host names of the app")
      : ok('hosts', `Accepted hosts: ${hosts.join(', ') || 'none'}`),
    websocket.origins === null
      ? warn('origins', "websocket.origins contains '*' in production: list the origins of your own pages")
      : ok('origins', `Browsers may connect from ${toText(websocket.origins)}`),
    given.defaultAccess === 'public'
      ? warn(
          'access',
          "defaultAccess is 'public' in production: remove it, and set access: 'public' on the routes that are public",
        )
      : ok('access', 'No route is public by default'),
    everywhere.length > 0
      ? warn(
          'proxies',
          `http.trustedProxies contains ${everywhere.join(', ')}, so any client can spoof its address: list your proxies`,
        )
      : ok('proxies', 'X-Forwarded-* headers are trusted from the listed proxies only'),
    transport.name === 'memory'
      ? error('transport', 'The memory transport is for tests and does not listen: remove the option transport')
      : ok('transport', `The transport is ${transport.name}`),
  ]
}

const toText = (origins: readonly string[] | 'same-host'): string =>
  origins === 'same-host' ? 'the requested host' : origins.join(', ') || 'no origin'

/** A limit above these protects nothing. */
const max = { maxInFlight: 10_000, bytes: 256 * 1024 * 1024 } as const

/** The default of many load balancers. */
const balancerIdleSeconds = 60

/** Limits that let one client, or one call that hangs, use resources without bound. */
export function checkLimits({
  deadlineMs,
  maxBodyBytes,
  websocket,
  routes,
  endpoints,
}: ResolvedOptions): readonly Finding[] {
  const found: Finding[] = []
  const say = (message: string): unknown => found.push(warn('limits', message))
  if (deadlineMs === 0) say(`deadlineMs is 0, so a call that hangs is never answered: set it, for example to 30000`)
  const named = [...Object.entries(routes), ...endpoints.map((each, index) => [`endpoint ${index + 1}`, each] as const)]
  for (const [name, { definition }] of named) {
    const what = definition.http?.route ?? name
    if (definition.deadlineMs === 0) say(`deadlineMs of ${what} is 0, so it may hang forever: set a deadline`)
    checkBytes(`http.maxBodyBytes of ${what}`, definition.http?.maxBodyBytes)
  }
  if (websocket.idleTimeoutSeconds === 0)
    say('websocket.idleTimeoutSeconds is 0, so dead connections are never closed: set it, for example to 60')
  else if (!websocket.sendPings)
    say(
      'websocket.sendPings is false, so idle clients are disconnected: remove it, unless clients send pings themselves',
    )
  const ping = pingAfterSeconds(websocket)
  if (ping !== null && ping.seconds >= balancerIdleSeconds)
    say(
      `idle WebSockets are pinged after ${ping.seconds} s, and load balancers commonly close them after ${balancerIdleSeconds}: set websocket.pingIntervalSeconds, for example to 44`,
    )
  if (websocket.maxInFlight > max.maxInFlight)
    say(
      `websocket.maxInFlight is ${websocket.maxInFlight}, which is effectively unlimited: set it to what one client needs, such as 64`,
    )
  checkBytes('websocket.maxPayloadBytes', websocket.maxPayloadBytes)
  checkBytes('websocket.maxBackpressureBytes', websocket.maxBackpressureBytes)
  checkBytes('http.maxBodyBytes', maxBodyBytes)
  return found.length > 0 ? found : [ok('limits', 'All limits are set')]

  function checkBytes(name: string, bytes = 0): void {
    if (bytes > max.bytes)
      say(
        `${name} is ${bytes}, and one client can use all of it: set it to at most ${max.bytes}, and stream larger data`,
      )
  }
}
