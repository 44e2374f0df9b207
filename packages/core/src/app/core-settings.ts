import { type LogLevel, logLevels } from '../base/logger.ts'
import { trustedProxiesRule } from '../edge/client-address.ts'
import { hostsRule } from '../edge/host.ts'
import { excludedPathsRule } from '../log/log-options.ts'
import { type LogFormat, logFormats } from '../log/pino-logger.ts'
import { type SettingsGroup, settingsGroup } from '../settings/group.ts'
import { variable } from '../settings/variable.ts'
import { type CompressionMemory, compressionMemories } from '../transport/compression.ts'
import { addressRules } from '../transport/socket-limits.ts'
import { type CompatMode, compatRule, maxHeaderBytesRule } from '../transport/uws-loader.ts'
import { maxTopicsRule, reconnectWindowRule, webSocketOriginsRule } from '../websocket/options.ts'
import { type DocsOptions, docsUrlRule } from './docs-option.ts'
import {
  commitTimeoutRule,
  cookieSecretsRule,
  drainDelayRule,
  drainTimeoutRule,
  maxBodyBytesRule,
} from './resolve-options.ts'

// Constants with written types, and no functions: an app that leaves a group out does not declare its variables.

/** `PORT`, `HOST`: for `app.listen(settings.listen)`. */
export const listenSettings: SettingsGroup<{ readonly port: number; readonly host: string }> = settingsGroup({
  variables: {
    port: variable.option('PORT', addressRules.port, { about: 'Port; 0 takes a free one' }),
    host: variable.option('HOST', addressRules.host, {
      about: 'Address to listen on; 0.0.0.0 is every IPv4 address of the machine',
      expects: 'a host name or an IP address',
    }),
  },
  to: (values) => values,
})

export interface LifecycleSettings {
  readonly drainTimeoutMs: number
  readonly drainDelayMs: number
  readonly commitTimeoutMs?: number
}

/** `DRAIN_TIMEOUT`, `DRAIN_DELAY`, `COMMIT_TIMEOUT`: for `createApp({ ...settings.lifecycle })`. */
export const lifecycleSettings: SettingsGroup<LifecycleSettings> = settingsGroup({
  variables: {
    drainTimeoutMs: variable.option('DRAIN_TIMEOUT', drainTimeoutRule, {
      about: 'How long calls in flight and connections may take when the app closes',
    }),
    drainDelayMs: variable.option('DRAIN_DELAY', drainDelayRule, {
      about:
        'How long the app goes on serving when it closes, with `/health/ready` answering 503, so that balancers notice',
    }),
    commitTimeoutMs: variable.option('COMMIT_TIMEOUT', commitTimeoutRule, {
      about: 'How long a deadline or a drain waits for the answer to a COMMIT that was sent; less than `DRAIN_TIMEOUT`',
      whenUnset: '`5s`, or half of `DRAIN_TIMEOUT` where that is less',
    }),
  },
  to: (values) => values,
})

export interface HttpSettings {
  readonly hosts?: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly maxBodyBytes: number
  readonly cookies: { readonly secrets: readonly string[] }
}

/** `ALLOWED_HOSTS`, `TRUSTED_PROXIES`, `MAX_REQUEST_BODY_SIZE`, `COOKIE_SECRETS`: for `createApp({ http: settings.http })`. */
export const httpSettings: SettingsGroup<HttpSettings> = settingsGroup({
  variables: {
    hosts: variable.option('ALLOWED_HOSTS', hostsRule, {
      about: 'Accepted host names, without port; `*` for any. Required in production',
      requiredIn: ['production'],
      whenUnset: 'any',
    }),
    trustedProxies: variable.option('TRUSTED_PROXIES', trustedProxiesRule, {
      about: 'Proxies whose `X-Forwarded-*` headers are trusted',
    }),
    maxBodyBytes: variable.option('MAX_REQUEST_BODY_SIZE', maxBodyBytesRule, {
      about: 'Largest body of a request, unless its route has its own limit',
    }),
    secrets: variable.option('COOKIE_SECRETS', cookieSecretsRule, {
      about: 'Secrets of signed cookies, each at least 32 characters: the first signs, all verify',
      secret: true,
    }),
  },
  to: ({ secrets, ...others }) => ({ ...others, cookies: { secrets } }),
})

export interface WebSocketSettings {
  readonly origins?: readonly string[]
  readonly maxTopics: number
  readonly reconnectWindowMs: number
  readonly compression: false | CompressionMemory
}

/** `ALLOWED_WS_ORIGINS`, `WS_MAX_TOPICS`, `WS_RECONNECT_WINDOW`, `WS_COMPRESSION`: for `createApp({ websocket: { ...settings.websocket } })`. */
export const websocketSettings: SettingsGroup<WebSocketSettings> = settingsGroup({
  variables: {
    origins: variable.option('ALLOWED_WS_ORIGINS', webSocketOriginsRule, {
      about: 'Origins of pages that may open a WebSocket; `*` for any',
      whenUnset: { dev: 'any', test: 'any', staging: 'the host of the request', production: 'the host of the request' },
    }),
    maxTopics: variable.option('WS_MAX_TOPICS', maxTopicsRule, {
      about: 'Topics that one connection may have joined at a time',
    }),
    reconnectWindowMs: variable.option('WS_RECONNECT_WINDOW', reconnectWindowRule, {
      about: 'Time over which subscribed clients reconnect when the app closes',
    }),
    compression: variable.oneOf('WS_COMPRESSION', ['off', ...compressionMemories], {
      about:
        'Compression of large WebSocket messages, for clients that offer it: `shared` takes no memory for a connection, `dedicated` about 75 KiB',
      default: 'off',
    }),
  },
  to: ({ compression, ...others }) => ({ ...others, compression: compression === 'off' ? false : compression }),
})

export interface NativeServerSettings {
  readonly compat: CompatMode
  readonly maxHeaderBytes: number
}

/** `TWINWIRE_UWS_COMPAT`, `UWS_HTTP_MAX_HEADERS_SIZE`: for `createApp({ transport: uws(settings.nativeServer) })`. */
export const nativeServerSettings: SettingsGroup<NativeServerSettings> = settingsGroup({
  variables: {
    compat: variable.option('TWINWIRE_UWS_COMPAT', compatRule, {
      about:
        'On Linux with glibc below 2.38: `on` uses a verified copy of uWebSockets.js that is patched for it, ' +
        'with `off` the app does not start',
    }),
    maxHeaderBytes: variable.option('UWS_HTTP_MAX_HEADERS_SIZE', maxHeaderBytesRule, {
      about: 'Bytes of the request line and all headers together; a longer request is rejected',
    }),
  },
  to: (values) => values,
})

export interface LogSettings {
  readonly level: LogLevel
  readonly format: LogFormat
  readonly excludedPaths?: readonly string[]
}

/** `DOCS_URL`: for `createApp({ docs: settings.docs })`, so that a file `.env` may have it too. */
export const docsSettings: SettingsGroup<DocsOptions> = settingsGroup({
  variables: {
    url: variable.option('DOCS_URL', docsUrlRule, {
      about:
        'Where the pages of Twinwire are served: boot errors, and in development errors of calls, end with a link below it. `off`: no links',
      whenUnset: 'the homepage of the package, if it has one',
    }),
  },
  to: (values) => values,
})

/** `LOG_LEVEL`, `LOG_CONSOLE_FORMAT`, `LOG_EXCLUDED_PATHS`: for `createApp({ log: settings.log })`. */
export const logSettings: SettingsGroup<LogSettings> = settingsGroup({
  variables: {
    level: variable.oneOf('LOG_LEVEL', logLevels, {
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
    format: variable.oneOf('LOG_CONSOLE_FORMAT', logFormats, {
      about: 'JSON lines, or human-readable text',
      defaults: { dev: 'human', test: 'json', staging: 'json', production: 'json' },
    }),
    excludedPaths: variable.option('LOG_EXCLUDED_PATHS', excludedPathsRule, {
      about: 'Declared paths of routes whose requests are not logged',
      whenUnset: 'the health routes and /metrics',
    }),
  },
  unsupported: { LOG_FILE_PATH: 'the log goes to the standard output; let the platform write the file' },
  to: (values) => values,
})
