import type { LogLevel } from '../base/logger.ts'
import { createClientAddress } from '../edge/client-address.ts'
import { isOrigin, toHostNames } from '../edge/host.ts'
import type { LogFormat } from '../log/pino-logger.ts'
import { type SettingsGroup, settingsGroup } from '../settings/group.ts'
import { variable } from '../settings/variable.ts'
import { type CompatMode, maxHeaderBytesRule } from '../transport/uws-loader.ts'
import { appDefaults } from './app-defaults.ts'

// Constants with written types, and no functions: an app that leaves a group out does not declare its variables.

/** `PORT`, `HOST`: for `app.listen(settings.listen)`. */
export const listenSettings: SettingsGroup<{ readonly port: number; readonly host: string }> = settingsGroup({
  variables: {
    port: variable.integer('PORT', { about: 'Port; 0 takes a free one', max: 65_535, default: appDefaults.port }),
    host: variable.text('HOST', {
      about: 'Address to listen on; 0.0.0.0 is every IPv4 address of the machine',
      default: appDefaults.host,
      expects: 'a host name or an IP address',
      check: (host) => (/^[\w.:-]+$/.test(host) ? null : 'must be a host name or an IP address'),
    }),
  },
  to: (values) => values,
})

/** `DRAIN_TIMEOUT`: for `createApp({ ...settings.lifecycle })`. */
export const lifecycleSettings: SettingsGroup<{ readonly drainTimeoutMs: number }> = settingsGroup({
  variables: {
    drainTimeoutMs: variable.duration('DRAIN_TIMEOUT', {
      about: 'How long calls in flight and connections get when the app closes',
      max: 3_600_000,
      default: appDefaults.drainTimeoutMs,
    }),
  },
  to: (values) => values,
})

export interface HttpSettings {
  readonly hosts?: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly maxBodyBytes: number
}

/** `ALLOWED_HOSTS`, `TRUSTED_PROXIES`, `MAX_REQUEST_BODY_SIZE`: for `createApp({ http: settings.http })`. */
export const httpSettings: SettingsGroup<HttpSettings> = settingsGroup({
  variables: {
    hosts: variable.list('ALLOWED_HOSTS', {
      about: 'Host names that the app answers to, without port; `*` for any, which production has to say',
      optional: true,
      requiredIn: ['production'],
      whenUnset: 'any',
      expects: 'a JSON list of host names, such as ["api.example.com"]',
      check: everyEntry(isHost, 'is no host name: write it without scheme and port'),
    }),
    trustedProxies: variable.list('TRUSTED_PROXIES', {
      about: 'Proxies whose `X-Forwarded-*` headers are believed',
      default: [],
      expects: 'a JSON list of IP addresses and CIDR networks, such as ["10.0.0.0/8"]',
      check: everyEntry(isNetwork, 'is no IP address and no CIDR network'),
    }),
    maxBodyBytes: variable.bytes('MAX_REQUEST_BODY_SIZE', {
      about: 'Largest body of a request, unless its route says otherwise',
      default: appDefaults.maxBodyBytes,
    }),
  },
  to: (values) => values,
})

/** `ALLOWED_WS_ORIGINS`: for `createApp({ websocket: { ...settings.websocket } })`. */
export const websocketSettings: SettingsGroup<{ readonly origins?: readonly string[] }> = settingsGroup({
  variables: {
    origins: variable.list('ALLOWED_WS_ORIGINS', {
      about: 'Origins that browsers may open a WebSocket from; `*` for any',
      optional: true,
      whenUnset: { dev: 'any', test: 'any', staging: 'the host itself', production: 'the host itself' },
      expects: 'a JSON list of origins, such as ["https://app.example.com"]',
      check: everyEntry(
        (entry) => entry === '*' || isOrigin(entry),
        "is no origin: write it as 'https://app.example.com'",
      ),
    }),
  },
  to: (values) => values,
})

export interface NativeServerSettings {
  readonly compat: CompatMode
  readonly maxHeaderBytes: number
}

/** `TWINWIRE_UWS_COMPAT`, `UWS_HTTP_MAX_HEADERS_SIZE`: for `createApp({ transport: uws(settings.nativeServer) })`. */
export const nativeServerSettings: SettingsGroup<NativeServerSettings> = settingsGroup({
  variables: {
    compat: variable.oneOf('TWINWIRE_UWS_COMPAT', ['on', 'off'], {
      about:
        'Whether, on Linux with glibc below 2.38, a checked copy of uWebSockets.js runs that is bound to the older glibc; ' +
        'with `off` the app does not start there',
      default: 'on',
    }),
    maxHeaderBytes: variable.option('UWS_HTTP_MAX_HEADERS_SIZE', maxHeaderBytesRule, {
      about: 'Bytes of the request line and all headers together; a longer request is refused',
    }),
  },
  to: (values) => values,
})

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const satisfies readonly LogLevel[]

export interface LogSettings {
  readonly level: LogLevel
  readonly format: LogFormat
  readonly excludedPaths?: readonly string[]
}

/** `LOG_LEVEL`, `LOG_CONSOLE_FORMAT`, `LOG_EXCLUDED_PATHS`: for `createApp({ log: settings.log })`. */
export const logSettings: SettingsGroup<LogSettings> = settingsGroup({
  variables: {
    level: variable.oneOf('LOG_LEVEL', levels, {
      about: 'Least weight of what is logged',
      aliases: {
        DEBUG: 'debug',
        INFO: 'info',
        WARNING: 'warn',
        ERROR: 'error',
        CRITICAL: 'fatal',
      },
      defaults: { dev: 'debug', test: 'warn', staging: 'info', production: 'warn' },
    }),
    format: variable.oneOf('LOG_CONSOLE_FORMAT', ['json', 'human'], {
      about: 'Lines of JSON for machines, or text for people',
      defaults: { dev: 'human', test: 'json', staging: 'json', production: 'json' },
    }),
    excludedPaths: variable.list('LOG_EXCLUDED_PATHS', {
      about: 'Paths of routes, as they were declared, whose requests get no line in the log',
      optional: true,
      whenUnset: 'the health routes and /metrics',
      expects: 'a JSON list of paths, such as ["/health","/metrics"]',
      check: everyEntry((entry) => entry.startsWith('/'), 'is no path: it begins with a /'),
    }),
  },
  unsupported: { LOG_FILE_PATH: 'the log goes to the standard output; let the platform write the file' },
  to: (values) => values,
})

function everyEntry(isRight: (entry: string) => boolean, mistake: string): (list: readonly string[]) => string | null {
  return (list) => {
    const wrong = list.findIndex((entry) => !isRight(entry))
    return wrong === -1 ? null : `has an entry, number ${wrong + 1}, that ${mistake}`
  }
}

function isHost(entry: string): boolean {
  return entry === '*' || isTaken(() => toHostNames([entry]))
}

function isNetwork(entry: string): boolean {
  return isTaken(() => createClientAddress([entry]))
}

/** By the check of the option itself; its message is not used, since it quotes the entry. */
function isTaken(check: () => unknown): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}
