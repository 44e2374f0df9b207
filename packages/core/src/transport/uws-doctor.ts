import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BootError, toShownMessage } from '../base/boot-error.ts'
import { error, type Finding, ok, warn } from '../base/finding.ts'
import { type Machine, supportedNodes } from '../base/machine.ts'
import { compatVariable, limitVariable, loadUws, resolveUws, type UwsLoadOptions } from './uws-loader.ts'

/** The installed package, as the doctor reads it. Tests simulate another one. */
export interface UwsInstallation {
  /** File names of the package. Throws BootError when it is not installed. */
  files(): readonly string[]
  /** The newest version of glibc that a binary needs; null when it needs none. */
  neededGlibc(file: string): string | null
  /** Loads it. Throws BootError when that fails. */
  load(options: UwsLoadOptions): { readonly module: object; readonly notes: readonly string[] }
}

/** The oldest glibc that a copy bound by `uws-compat.ts` runs on. */
const compatGlibc = '2.36'

/** Is there a binary for this machine, does it load, and does it have the functions that core uses? */
export function examineUws(
  options: UwsLoadOptions,
  machine: Machine,
  installation: UwsInstallation = installed,
): readonly Finding[] {
  const findings: Finding[] = []
  let notes: readonly string[] = []
  try {
    if (options.module !== undefined)
      findings.push(ok('uws binary', 'The application provides the module: uws({ module })'))
    else findings.push(...examineBinary(options, machine, installation))
    // On musl loading may end the process; elsewhere it would only repeat the error.
    if (findings.every(({ level }) => level !== 'error')) {
      const loaded = installation.load(options)
      notes = loaded.notes
      findings.push(checkFeatures(loaded.module))
    }
  } catch (reason) {
    findings.push(
      error(
        'uws load',
        reason instanceof BootError ? toShownMessage(reason) : `Loading uWebSockets.js failed: ${String(reason)}`,
      ),
    )
  }
  return [...findings, checkHeaderLimit(machine, notes)]
}

function examineBinary(options: UwsLoadOptions, machine: Machine, installation: UwsInstallation): Finding[] {
  const { platform, arch, abi, node } = machine
  const file = `uws_${platform}_${arch}_${abi}.node`
  const files = installation.files()
  if (!files.includes(file)) {
    const abis = files.flatMap((name) => /^uws_(.+)_(\d+)\.node$/.exec(name)?.slice(1) ?? [])
    const fitting = abis.filter((_, index) => index % 2 === 1 && abis[index - 1] === `${platform}_${arch}`)
    const has = fitting.length > 0 ? `only for ABI ${fitting.join(', ')}` : 'and none for another Node version either'
    return [
      error(
        'uws binary',
        `uWebSockets.js has no binary for ${platform} ${arch}, Node ${node} (ABI ${abi}), ${has}: use Node ${supportedNodes} on ` +
          'Linux with glibc, macOS or Windows, or pass uws({ module })',
      ),
    ]
  }
  const binary = ok('uws binary', `uWebSockets.js has a binary for ${platform} ${arch}, Node ABI ${abi}`)
  return platform === 'linux' ? [binary, checkGlibc(options, machine, installation.neededGlibc(file))] : [binary]
}

function checkGlibc({ compat }: UwsLoadOptions, { glibc, node, variables }: Machine, needed: string | null): Finding {
  const check = 'glibc'
  if (glibc === null) {
    const image = `node:${node.split('.')[0]}-trixie-slim`
    return error(check, `uWebSockets.js has no build for musl (Alpine): use an image with glibc, such as ${image}`)
  }
  if (needed === null || !isOlder(glibc, needed))
    return ok(check, `glibc ${glibc}; the binary needs ${needed ?? 'none'}`)
  const older = `The binary needs glibc ${needed}, this system has ${glibc}`
  const newerImage = `use a base image with glibc ${needed} or later (such as trixie)`
  if (isOlder(glibc, compatGlibc)) return error(check, `${older}: ${newerImage}`)
  const mode = compat ?? (variables[compatVariable] || 'on')
  if (mode === 'off')
    return error(check, `${older}, and ${compatVariable}=off forbids the checked copy: unset it, or ${newerImage}`)
  if (mode !== 'on') return error(check, `${compatVariable} must be on or off, not '${mode}'`)
  return warn(
    check,
    `${older}, so core runs a checked copy that is bound to the older version: to run the published binary, ${newerImage}`,
  )
}

/** `notes` are those of the loader: it knows whether it could still set the limit. */
function checkHeaderLimit({ variables, isMainThread }: Machine, notes: readonly string[]): Finding {
  const check = 'header limit'
  const note = notes.find((each) => each.includes(limitVariable))
  if (note !== undefined) return warn(check, note)
  const text = variables[limitVariable]
  if (text === undefined) {
    return isMainThread
      ? ok(check, `${limitVariable} is not set: core sets it before it loads the binary`)
      : warn(check, `${limitVariable} cannot be set in a Worker: start the process with ${limitVariable}=32768`)
  }
  if (!/^\d{1,9}$/.test(text))
    return error(check, `${limitVariable} must be a number of bytes: set it to 32768, or unset it`)
  if (Number(text) < 8192) {
    return warn(
      check,
      `${limitVariable} is ${text}, which is too small for headers with tokens: set it to 32768, or unset it`,
    )
  }
  return ok(check, `${limitVariable} is ${text}`)
}

/** The loader has checked the functions that core requires. */
function checkFeatures(module: object): Finding {
  if (typeof Reflect.get(module, 'SSLApp') !== 'function')
    return warn('uws load', 'uWebSockets.js has no SSLApp: terminate TLS at a proxy, or use a build with TLS')
  return ok('uws load', 'uWebSockets.js has every function that core uses')
}

const installed: UwsInstallation = {
  files: () => readdirSync(dirname(resolveUws())),
  neededGlibc: (file) => newestGlibc(readFileSync(join(dirname(resolveUws()), file))),
  load: loadUws,
}

/** A binary contains the versions that it needs as strings. */
function newestGlibc(binary: Buffer): string | null {
  const versions = new Set(binary.toString('latin1').match(/GLIBC_\d+\.\d+/g) ?? [])
  const [newest] = [...versions].map((text) => text.slice('GLIBC_'.length)).sort((a, b) => (isOlder(a, b) ? 1 : -1))
  return newest ?? null
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number)
  return major < thanMajor || (major === thanMajor && minor < thanMinor)
}
