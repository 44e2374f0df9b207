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
      about: 'Time for calls in flight and connections when the app closes',
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
      about: 'Accepted host names, without port; `*` for any. Required in production',
      optional: true,
      requiredIn: ['production'],
      whenUnset: 'any',
      expects: 'a JSON list of host names, such as ["api.example.com"]',
      check: everyEntry(isHost, 'is not a host name: write it without scheme and port'),
    }),
    trustedProxies: variable.list('TRUSTED_PROXIES', {
      about: 'Proxies whose `X-Forwarded-*` headers are used',
      default: [],
      expects: 'a JSON list of IP addresses and CIDR networks, such as ["10.0.0.0/8"]',
      check: everyEntry(isNetwork, 'is not an IP address or a CIDR network'),
    }),
    maxBodyBytes: variable.bytes('MAX_REQUEST_BODY_SIZE', {
      about: 'Largest body of a request, unless its route sets another limit',
      default: appDefaults.maxBodyBytes,
    }),
  },
  to: (values) => values,
})

/** `ALLOWED_WS_ORIGINS`: for `createApp({ websocket: { ...settings.websocket } })`. */
export const websocketSettings: SettingsGroup<{ readonly origins?: readonly string[] }> = settingsGroup({
  variables: {
    origins: variable.list('ALLOWED_WS_ORIGINS', {
      about: 'Origins of pages that may open a WebSocket; `*` for any',
      optional: true,
      whenUnset: { dev: 'any', test: 'any', staging: 'the host of the request', production: 'the host of the request' },
      expects: 'a JSON list of origins, such as ["https://app.example.com"]',
      check: everyEntry(
        (entry) => entry === '*' || isOrigin(entry),
        "is not an origin: write it as 'https://app.example.com'",
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
        'On Linux with glibc below 2.38: `on` uses a verified copy of uWebSockets.js that is patched for it, ' +
        'with `off` the app does not start',
      default: 'on',
    }),
    maxHeaderBytes: variable.option('UWS_HTTP_MAX_HEADERS_SIZE', maxHeaderBytesRule, {
      about: 'Bytes of the request line and all headers together; a longer request is rejected',
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
      about: 'Minimum log level',
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
      about: 'JSON lines, or human-readable text',
      defaults: { dev: 'human', test: 'json', staging: 'json', production: 'json' },
    }),
    excludedPaths: variable.list('LOG_EXCLUDED_PATHS', {
      about: 'Declared paths of routes whose requests are not logged',
      optional: true,
      whenUnset: 'the health routes and /metrics',
      expects: 'a JSON list of paths, such as ["/health","/metrics"]',
      check: everyEntry((entry) => entry.startsWith('/'), 'is not a path: it must begin with a /'),
    }),
  },
  unsupported: { LOG_FILE_PATH: 'the log goes to the standard output; let the platform write the file' },
  to: (values) => values,
})

function everyEntry(isValid: (entry: string) => boolean, problem: string): (list: readonly string[]) => string | null {
  return (list) => {
    const index = list.findIndex((entry) => !isValid(entry))
    return index === -1 ? null : `entry ${index + 1} ${problem}`
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
