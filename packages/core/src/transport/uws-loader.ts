import { closeSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { BootError } from '../base/boot-error.ts'
import { supportedNodes } from '../base/machine.ts'
import { option } from '../base/option.ts'
import type { OptionRule, OptionRules } from '../base/option-rule.ts'
import { checkOption, checkOptions } from '../base/options.ts'
import { loadCompatCopy } from './uws-compat-copy.ts'
import type { UwsModule } from './uws-types.ts'

export interface UwsLoadOptions {
  /** A build of uWebSockets.js that the application has loaded. */
  readonly module?: unknown
  /**
   * Max bytes of the request line and all headers together. Default 32768: the 4096 of uWS are too few for Keycloak's tokens.
   */
  readonly maxHeaderBytes?: number
  /**
   * `off` forbids the copy of the binary that is bound to an older glibc, where the system has one below 2.38. Default:
   * `TWINWIRE_UWS_COMPAT`, else `on`.
   */
  readonly compat?: CompatMode
}

export type CompatMode = 'on' | 'off'

export interface LoadedUws {
  readonly module: UwsModule
  /** True when the binary is a copy bound to an older glibc. */
  readonly compat: boolean
  /** Warnings for the log, one sentence each. */
  readonly notes: readonly string[]
}

/** `UWS_HTTP_MAX_HEADERS_SIZE` is read by native code, too: a number and no unit. */
export const maxHeaderBytesRule: OptionRule<number> = option.integer({ min: 4096, max: 1_048_576, default: 32_768 })
export const compatRule: OptionRule<CompatMode> = option.choice(['on', 'off'], { default: 'on' })

const rules = {
  module: option.unchecked(),
  maxHeaderBytes: maxHeaderBytesRule,
  compat: compatRule,
  tls: option.unchecked(),
} satisfies OptionRules<UwsLoadOptions & { tls: unknown }>

export const limitVariable = 'UWS_HTTP_MAX_HEADERS_SIZE'
export const compatVariable = 'TWINWIRE_UWS_COMPAT'
const compatNote =
  'uWebSockets.js needs glibc 2.38 and this system has an older one, so a checked copy runs that is bound to the older version; ' +
  `${compatVariable}=off forbids it`

// One addon per process, however many copies or test registries of this module there are. `globalThis` has no declared
// slot for it, hence the cast.
const slot = globalThis as { [key: symbol]: LoadedUws | undefined }
const slotKey = Symbol.for('twinwire.uws')

/** Loads uWebSockets.js: the given module, else the package of the application, else that of core. */
export function loadUws(options: UwsLoadOptions = {}): LoadedUws {
  const { maxHeaderBytes } = checkOptions('uws()', options, rules)
  const { module: given, compat: mode = readCompatMode() } = options
  if (given !== undefined)
    return { module: checkModule(given), compat: false, notes: headerNotes(maxHeaderBytes, true) }
  const loaded = slot[slotKey]
  if (loaded) return loaded
  const path = resolveUws()
  const notes = headerNotes(maxHeaderBytes, createRequire(path).cache[path] !== undefined)
  const { exports, compat } = loadFile(path, mode)
  if (compat) notes.push(compatNote)
  const result: LoadedUws = { module: checkModule(exports), compat, notes }
  slot[slotKey] = result
  return result
}

/**
 * The package of the application comes first: it may be another build under the same name. Core's own is looked for last, by way of the
 * application too: a bundle is not where core is, and pnpm shows an application its own dependencies only.
 */
export function resolveUws(): string {
  const application = [join(process.cwd(), 'package.json'), process.argv[1] ?? '']
  const found =
    resolveFrom([...application, import.meta.url], 'uWebSockets.js') ??
    resolveFrom([resolveFrom(application, '@twinwire/core/package.json') ?? ''], 'uWebSockets.js')
  if (found === null)
    throw unavailable('the package uWebSockets.js is not installed: install it, or pass uws({ module })')
  return found
}

/** The file of `name`, from the first of `places` that has it. */
function resolveFrom(places: readonly string[], name: string): string | null {
  for (const place of places) {
    try {
      if (place !== '') return createRequire(place).resolve(name)
    } catch {
      // Not found from there.
    }
  }
  return null
}

function readCompatMode(): CompatMode {
  return checkOption('The environment', compatVariable, process.env[compatVariable] || undefined, compatRule)
}

function loadFile(path: string, mode: CompatMode): { exports: unknown; compat: boolean } {
  // Checked first, because on musl loading can end in a segmentation fault.
  if (process.platform === 'linux' && usesMusl()) {
    throw unavailable(
      `it has no build for musl (Alpine): use an image with glibc, such as node:${nodeMajor()}-trixie-slim`,
    )
  }
  try {
    return { exports: createRequire(path)(path), compat: false }
  } catch (error) {
    const reason = String(error)
    if (process.platform === 'linux' && /GLIBC_2\.38' not found/.test(reason)) {
      if (mode === 'off') {
        throw unavailable(
          `its binary needs glibc 2.38, this system has an older one, and ${compatVariable}=off forbids the copy bound to it: ` +
            'use a base image with glibc 2.38 or later (such as trixie), unset the variable, or pass uws({ module })',
        )
      }
      return { exports: loadCompatCopy(path, unavailable), compat: true }
    }
    if (/Cannot find module '\.\/uws_/.test(reason)) {
      const here = `${process.platform} ${process.arch}, Node ${process.versions.node} (ABI ${process.versions.modules})`
      throw unavailable(
        `the installed build has no binary for ${here}: use Node ${supportedNodes} on Linux with glibc, macOS or Windows, or pass uws({ module })`,
        error,
      )
    }
    throw unavailable(`loading ${path} failed: ${lastLine(reason)}`, error)
  }
}

/**
 * uWS reads the limit once, when the addon loads, and native code does not see the `process.env` of a Worker, which is a
 * copy.
 */
function headerNotes(maxHeaderBytes: number, alreadyLoaded: boolean): string[] {
  const found = process.env[limitVariable]
  if (found !== undefined) return []
  const advice = `start the process with ${limitVariable}=${maxHeaderBytes}, or requests with headers of more than 4096 bytes fail`
  if (alreadyLoaded) return [`uWebSockets.js was loaded before core could set its header limit: ${advice}`]
  if (!isMainThread) return [`The header limit of uWebSockets.js cannot be set in a Worker: ${advice}`]
  process.env[limitVariable] = String(maxHeaderBytes)
  return []
}

/** Fails at boot instead of at the first request. `close` is the newest of the functions (v20.34). */
function checkModule(candidate: unknown): UwsModule {
  // An import of a CommonJS module may be its namespace; the cast only makes `default` readable.
  const namespace = candidate as { default?: unknown } | null | undefined
  const found = has(namespace, 'App') ? namespace : namespace?.default
  const lacking = ['App', 'us_listen_socket_close', 'us_socket_local_port'].filter((name) => !has(found, name))
  if (lacking.length > 0)
    throw unavailable(`the module has no ${lacking.join(', ')}: pass uWebSockets.js, version 20.34 or later`)
  // Checked above: what follows calls the functions that were found.
  const module = found as UwsModule
  if (typeof module.LIBUS_LISTEN_EXCLUSIVE_PORT !== 'number')
    throw unavailable('the module has no LIBUS_LISTEN_EXCLUSIVE_PORT: pass uWebSockets.js, version 20.34 or later')
  const app = module.App()
  const methods = ['get', 'post', 'put', 'patch', 'del', 'head', 'options', 'any', 'ws', 'listen', 'close']
  const missing = methods.filter((name) => !has(app, name))
  if (missing.length > 0) throw unavailable(`its App has no ${missing.join(', ')}: use version 20.34 or later`)
  app.close()
  return module
}

function has(value: unknown, name: string): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return typeof Reflect.get(value, name) === 'function'
}

/** The binary of Node has the name of the system's dynamic loader near its start. */
function usesMusl(): boolean {
  const head = Buffer.alloc(8192)
  const file = openSync(process.execPath, 'r')
  try {
    readSync(file, head, 0, head.length, 0)
  } finally {
    closeSync(file)
  }
  return head.includes('/ld-musl-')
}

function unavailable(what: string, cause?: unknown): BootError {
  return new BootError(
    'unavailable_transport',
    `uWebSockets.js cannot be used: ${what}`,
    cause === undefined ? {} : { cause },
  )
}

const nodeMajor = (): string => process.versions.node.split('.')[0] ?? ''
const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''
