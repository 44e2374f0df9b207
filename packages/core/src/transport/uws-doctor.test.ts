import { describe, expect, it } from 'vitest'
import { createMachine } from '../app/doctor/doctor.fixtures.ts'
import { readMachine } from '../app/doctor/machine.ts'
import { BootError } from '../base/boot-error.ts'
import type { Machine } from '../base/machine.ts'
import { examineUws, type UwsInstallation } from './uws-doctor.ts'

const files = ['uws.js', 'uws_linux_x64_115.node', 'uws_linux_x64_127.node', 'uws_darwin_arm64_137.node']

function lines(
  machine: Parameters<typeof createMachine>[0] = {},
  installation: Partial<UwsInstallation> = {},
  options = {},
): string[] {
  const all: UwsInstallation = {
    files: () => files,
    neededGlibc: () => '2.38',
    load: () => ({ module: { SSLApp: () => {} }, notes: [] }),
    ...installation,
  }
  return examineUws(options, createMachine(machine), all).map(
    ({ check, level, message }) => `${level} ${check}: ${message}`,
  )
}

const binary = 'ok uws binary: uWebSockets.js has a binary for linux x64, Node ABI 127'
const glibc = 'ok glibc: glibc 2.41; the binary needs 2.38'
const limit = 'ok header limit: UWS_HTTP_MAX_HEADERS_SIZE is not set: core sets it before it loads the binary'
const loads = 'ok uws load: uWebSockets.js has every function that core uses'
const newer = 'use a base image with glibc 2.38 or later (such as trixie)'
const notLoaded = { load: () => expect.fail('what cannot load is not loaded') }

describe('the doctor, of uWebSockets.js', () => {
  it('is content with a machine that it runs on', () => {
    expect(lines()).toEqual([binary, glibc, loads, limit])
    expect(lines({ platform: 'darwin', arch: 'arm64', abi: '137', glibc: null })).toHaveLength(3)
    expect(lines({}, { files: () => expect.fail('not looked for') }, { module: {} })).toEqual([
      'ok uws binary: The application provides the module: uws({ module })',
      loads,
      limit,
    ])
  })

  it('names a Node for which there is no binary, without loading', () => {
    const advice = 'use Node 20, 22 or 24 on Linux with glibc, macOS or Windows, or pass uws({ module })'
    expect(lines({ node: '21.7.3', abi: '120' }, notLoaded)).toEqual([
      `error uws binary: uWebSockets.js has no binary for linux x64, Node 21.7.3 (ABI 120), only for ABI 115, 127: ${advice}`,
      limit,
    ])
    expect(lines({ platform: 'freebsd' }, notLoaded)[0]).toBe(
      `error uws binary: uWebSockets.js has no binary for freebsd x64, Node 22.12.0 (ABI 127), and none for another Node version either: ${advice}`,
    )
  })

  it('names a glibc that is too old, without loading', () => {
    expect(lines({ glibc: '2.31' }, notLoaded)).toEqual([
      binary,
      `error glibc: The binary needs glibc 2.38, this system has 2.31: ${newer}`,
      limit,
    ])
    const older = 'The binary needs glibc 2.38, this system has 2.36'
    const copy = `warn glibc: ${older}, so core runs a checked copy that is bound to the older version: to run the published binary, ${newer}`
    const forbidden = `error glibc: ${older}, and TWINWIRE_UWS_COMPAT=off forbids the checked copy: unset it, or ${newer}`
    const withVariable = (TWINWIRE_UWS_COMPAT: string): Partial<Machine> => ({
      glibc: '2.36',
      variables: { TWINWIRE_UWS_COMPAT },
    })
    expect(lines({ glibc: '2.36' })[1]).toBe(copy)
    for (const value of ['', 'on']) expect(lines(withVariable(value))[1]).toBe(copy)
    expect(lines(withVariable('off'), {}, { compat: 'on' })[1]).toBe(copy)
    expect(lines(withVariable('off'), notLoaded)[1]).toBe(forbidden)
    expect(lines({ glibc: '2.36' }, notLoaded, { compat: 'off' })[1]).toBe(forbidden)
    expect(lines(withVariable('false'), notLoaded)[1]).toBe(
      "error glibc: TWINWIRE_UWS_COMPAT must be on or off, not 'false'",
    )
    expect(lines({ glibc: null }, notLoaded)[1]).toBe(
      'error glibc: uWebSockets.js has no build for musl (Alpine): use an image with glibc, such as node:22-trixie-slim',
    )
  })

  it.each([
    [
      '4096',
      'warn header limit: UWS_HTTP_MAX_HEADERS_SIZE is 4096, which is too small for headers with tokens: set it to 32768, or unset it',
    ],
    ['16k', 'error header limit: UWS_HTTP_MAX_HEADERS_SIZE must be a number of bytes: set it to 32768, or unset it'],
    ['16384', 'ok header limit: UWS_HTTP_MAX_HEADERS_SIZE is 16384'],
  ])('looks at a header limit of %s', (UWS_HTTP_MAX_HEADERS_SIZE, line) => {
    expect(lines({ variables: { UWS_HTTP_MAX_HEADERS_SIZE } })[3]).toBe(line)
  })

  it('tells when the header limit can no longer be set', () => {
    const advice = 'start the process with UWS_HTTP_MAX_HEADERS_SIZE=32768'
    expect(lines({ isMainThread: false })[3]).toBe(
      `warn header limit: UWS_HTTP_MAX_HEADERS_SIZE cannot be set in a Worker: ${advice}`,
    )
    const notes = [`uWebSockets.js was loaded before core could set its header limit: ${advice}`]
    expect(lines({}, { load: () => ({ module: {}, notes }) }).slice(2)).toEqual([
      'warn uws load: uWebSockets.js has no SSLApp: terminate TLS at a proxy, or use a build with TLS',
      `warn header limit: uWebSockets.js was loaded before core could set its header limit: ${advice}`,
    ])
  })

  it('says what keeps it from loading', () => {
    const fail = (): never => {
      throw new BootError('unavailable_transport', 'uWebSockets.js cannot be used: the module has no App')
    }
    const line = 'error uws load: uWebSockets.js cannot be used: the module has no App'
    expect(lines({}, { load: fail })).toEqual([binary, glibc, line, limit])
    expect(lines({}, { files: fail })).toEqual([line, limit])
  })

  it('reads this machine', () => {
    const machine = readMachine()
    expect(machine.node).toBe(process.versions.node)
    if (process.platform === 'linux') expect(machine.glibc).toMatch(/^2\.\d+$/)
    expect(machine.find('valibot', 'core')?.version).toMatch(/^1\./)
    expect(machine.find('no-such-package', 'core')).toBeNull()
    const found = examineUws({}, machine)
    expect(found.map(({ check }) => check)).toEqual(expect.arrayContaining(['uws binary', 'header limit', 'uws load']))
    expect(found.filter(({ level }) => level === 'error')).toEqual([])
  })
})
