import { error, type Finding, ok, warn } from '../../base/finding.ts'
import type { Transport } from '../../transport/transport.ts'
import { appDefaults } from '../app-defaults.ts'
import type { ResolvedOptions } from '../app-options.ts'

export function checkEnvironment({ environment, disagreement }: ResolvedOptions): Finding {
  if (disagreement === null) return ok('environment', `The environment is ${environment}`)
  return warn('environment', `${disagreement}: let them agree`)
}

/** What is open to everybody, and what belongs into development. */
export function checkProduction(options: ResolvedOptions, transport: Transport): readonly Finding[] {
  if (options.environment !== 'production') return []
  const { given, hosts, websocket } = options
  const everywhere = (given.http?.trustedProxies ?? []).filter((proxy) => proxy.endsWith('/0'))
  return [
    hosts === null
      ? warn('hosts', "http.hosts has '*' in production: name the hosts that the app answers to")
      : ok('hosts', `The app answers to ${hosts.join(', ') || 'no host'}`),
    websocket.origins === null
      ? warn('origins', "websocket.origins has '*' in production: name the origins of your own pages")
      : ok('origins', `Browsers may connect from ${toText(websocket.origins)}`),
    given.defaultAccess === 'public'
      ? warn(
          'access',
          "defaultAccess is 'public' in production: leave it out, and write access: 'public' on the routes that are",
        )
      : ok('access', 'No route is public by silence'),
    everywhere.length > 0
      ? warn(
          'proxies',
          `http.trustedProxies has ${everywhere.join(', ')}, so that everybody is believed: name your proxies`,
        )
      : ok('proxies', 'X-Forwarded-* headers are believed from named proxies only'),
    transport.name === 'memory'
      ? error(
          'transport',
          'The transport in memory is for tests and serves nobody in production: leave out the option transport',
        )
      : ok('transport', `The transport is ${transport.name}`),
  ]
}

const toText = (origins: readonly string[] | 'same-host'): string =>
  origins === 'same-host' ? 'the host that they asked' : origins.join(', ') || 'nowhere'

/** Past these a limit is there in name only. */
const most = { maxInFlight: 10_000, bytes: 256 * 1024 * 1024 } as const

/** What one client, or one call that hangs, may take without end. */
export function checkLimits({ given, websocket, routes, endpoints }: ResolvedOptions): readonly Finding[] {
  const found: Finding[] = []
  const say = (message: string): unknown => found.push(warn('limits', message))
  if (given.deadlineMs === 0)
    say(
      `deadlineMs is 0, so that a call that hangs is never answered: set it, for example to ${appDefaults.deadlineMs}`,
    )
  const named = [...Object.entries(routes), ...endpoints.map((each, index) => [`endpoint ${index + 1}`, each] as const)]
  for (const [name, { definition }] of named) {
    const what = definition.http?.route ?? name
    if (definition.deadlineMs === 0) say(`deadlineMs of ${what} is 0, so that it may hang for ever: give it one`)
    checkBytes(`http.maxBodyBytes of ${what}`, definition.http?.maxBodyBytes)
  }
  if (websocket.idleTimeoutSeconds === 0)
    say('websocket.idleTimeoutSeconds is 0, so that dead connections are never found: set it, for example to 120')
  else if (!websocket.sendPings)
    say(
      'websocket.sendPings is false, so that silent clients are cut: leave it out, unless clients send pings themselves',
    )
  if (websocket.maxInFlight > most.maxInFlight)
    say(
      `websocket.maxInFlight is ${websocket.maxInFlight}, as good as no limit: set it to what one client needs, such as 64`,
    )
  checkBytes('websocket.maxPayloadBytes', websocket.maxPayloadBytes)
  checkBytes('websocket.maxBackpressureBytes', websocket.maxBackpressureBytes)
  checkBytes('http.maxBodyBytes', given.http?.maxBodyBytes)
  return found.length > 0 ? found : [ok('limits', 'Every limit is bounded')]

  function checkBytes(name: string, bytes = 0): void {
    if (bytes > most.bytes)
      say(`${name} is ${bytes}, which one client may fill: set it to at most ${most.bytes}, and stream what is larger`)
  }
}
