import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import { compatTable } from './uws-checksums.ts'
import { sha256 } from './uws-compat.ts'
import { loadCompatCopy } from './uws-compat-copy.ts'
import { loadUws } from './uws-loader.ts'

const here = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)
const tsx = pathToFileURL(require.resolve('tsx', { paths: [process.cwd()] })).href
const addon = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`
const loader = JSON.stringify(pathToFileURL(join(here, 'uws-loader.ts')).href)
const unavailable = (what: string): BootError => new BootError('unavailable_transport', what)

/** Whether this system is one that needs the copy. */
const needsCopy = (() => {
  try {
    require('uWebSockets.js')
    return false
  } catch (error) {
    return /GLIBC_2\.38' not found/.test(String(error))
  }
})()

const folders: string[] = []
const temporary = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'twinwire-test-'))
  folders.push(folder)
  return folder
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Runs a program in a process of its own, in `cwd`; `load` prints what the loader answered. */
async function run(
  cwd: string,
  program: string,
  env: Record<string, string | undefined> = {},
): Promise<{ stdout: string; stderr: string }> {
  const file = join(temporary(), 'program.mts')
  writeFileSync(file, `import { loadUws } from ${loader}\n${program}`)
  const variables = { ...process.env, TWINWIRE_UWS_COMPAT: undefined, UWS_HTTP_MAX_HEADERS_SIZE: undefined, ...env }
  return promisify(execFile)(process.execPath, ['--import', tsx, file], { cwd, env: variables })
}

const show = `const { compat, notes } = loadUws(); console.log(JSON.stringify({ compat, notes, limit: process.env.UWS_HTTP_MAX_HEADERS_SIZE }))`

/** Prints the status of a request with 6 KB of headers, which the default limit of uWS refuses. */
const bigHeader = `
  const { module } = loadUws()
  const app = module.App()
  app.any('/*', (res) => { res.onAborted(() => {}); res.end('ok') })
  app.listen('127.0.0.1', 0, 1, (socket) => {
    fetch('http://127.0.0.1:' + module.us_socket_local_port(socket), { headers: { 'x-big': 'b'.repeat(6000) } })
      .then((answer) => answer.status, () => 'refused').then((result) => { console.log(result); app.close() })
  })`

describe('loading uWebSockets.js', () => {
  it('takes a module that was given, and names what another one lacks', () => {
    const real = loadUws().module
    expect(loadUws({ module: real }).module).toBe(real)
    expect(loadUws({ module: { default: real } }).module).toBe(real)
    for (const [module, lacking] of [
      [{}, 'the module has no App, us_listen_socket_close, us_socket_local_port'],
      [null, 'the module has no App'],
      [{ ...real, us_socket_local_port: undefined }, 'the module has no us_socket_local_port:'],
      [{ ...real, LIBUS_LISTEN_EXCLUSIVE_PORT: undefined }, 'the module has no LIBUS_LISTEN_EXCLUSIVE_PORT'],
      [
        { ...real, App: () => ({ get() {}, listen() {} }) },
        'its App has no post, put, patch, del, head, options, any, ws, close',
      ],
    ] as const) {
      const load = (): unknown => loadUws({ module })
      expect(load).toThrow(BootError)
      expect(load).toThrow(lacking)
    }
  })

  it.each([0, 4095, 2 ** 21, 8192.5])('refuses a header limit of %d', (maxHeaderBytes) => {
    expect(() => loadUws({ maxHeaderBytes })).toThrow(
      `uws(): maxHeaderBytes must be an integer from 4096 to 1048576, received ${maxHeaderBytes}`,
    )
  })

  it('loads once per process', () => {
    expect(loadUws()).toBe(loadUws())
  })

  it('sets the header limit before the addon loads, and leaves one alone that is set', async () => {
    expect(JSON.parse((await run(temporary(), show)).stdout)).toMatchObject({ limit: '32768' })
    expect((await run(temporary(), bigHeader)).stdout).toBe('200\n')
    const set = { UWS_HTTP_MAX_HEADERS_SIZE: '5000' }
    expect(JSON.parse((await run(temporary(), show, set)).stdout)).toMatchObject({ limit: '5000' })
    expect((await run(temporary(), bigHeader, set)).stdout).not.toBe('200\n')
  }, 120_000)

  it('says that the limit cannot be set in a Worker', async () => {
    // The TypeScript loader does not reach into Workers by itself.
    const api = JSON.stringify(
      pathToFileURL(require.resolve('tsx/esm/api', { paths: [process.cwd()] }).replace(/cjs$/, 'mjs')).href,
    )
    const inWorker = `import(${api})
      .then(({ tsImport }) => tsImport(${loader}, 'file:///'))
      .then(({ loadUws }) => { console.log(loadUws().notes[0]); ${bigHeader} })`
    const worker = `import { Worker } from 'node:worker_threads'
      void loadUws
      new Worker(${JSON.stringify(inWorker)}, { eval: true })`
    const lines = (await run(temporary(), worker)).stdout.trim().split('\n')
    expect(lines[0]).toContain('cannot be set in a Worker: start the process with UWS_HTTP_MAX_HEADERS_SIZE=32768')
    expect(lines[1]).not.toBe('200')
  }, 120_000)

  it("takes the host's own copy before ours", async () => {
    const host = temporary()
    const folder = join(host, 'node_modules', 'uWebSockets.js')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "main": "main.js" }')
    writeFileSync(join(folder, 'main.js'), 'module.exports = { host: true }')
    const program = `try { loadUws() } catch (error) { console.log(error.message) }`
    expect((await run(host, program)).stdout).toContain('the module has no App')
  }, 120_000)

  it('names the way out when there is no binary for this Node, or loading fails otherwise', async () => {
    const host = temporary()
    const folder = join(host, 'node_modules', 'uWebSockets.js')
    mkdirSync(folder, { recursive: true })
    const program = `try { loadUws() } catch (error) { console.log(error.code, error.message) }`
    writeFileSync(join(folder, 'index.js'), `require('./uws_odd.node')`)
    expect((await run(host, program)).stdout).toMatch(
      /^unavailable_transport .* has no binary for \w+ \w+, Node [\d.]+ \(ABI \d+\): use Node 20, 22 or 24 on Linux/,
    )
    writeFileSync(join(folder, 'index.js'), `throw new Error('first line\\nlast line')`)
    expect((await run(host, program)).stdout).toMatch(/^unavailable_transport .* failed: last line\n$/)
  }, 120_000)
})

describe('the compat copy', () => {
  it.runIf(needsCopy)(
    'is forbidden by the variable or the option, and the message names the ways out',
    async () => {
      const refused = (options = ''): string =>
        `try { loadUws(${options}) } catch (error) { console.log(error.message) }`
      const off = { TWINWIRE_UWS_COMPAT: 'off' }
      for (const { stdout } of [
        await run(temporary(), refused(), off),
        await run(temporary(), refused(`{ compat: 'off' }`)),
      ]) {
        expect(stdout).toMatch(
          /needs glibc 2\.38, .* TWINWIRE_UWS_COMPAT=off forbids .* base image .*, unset the variable, or pass uws\({ module }\)\n$/,
        )
      }
      const allowed = `console.log(loadUws({ compat: 'on' }).compat)`
      expect((await run(temporary(), allowed, off)).stdout).toBe('true\n')
    },
    120_000,
  )

  it.runIf(needsCopy)(
    'is told in one line by the logger of the app: JSON in production',
    async () => {
      const program = `
        void loadUws
        const { createApp } = await import(${JSON.stringify(pathToFileURL(join(here, '..', 'app', 'app.ts')).href)})
        const app = createApp({
          environment: 'production', defaultAccess: 'public', http: { hosts: ['*'] }, log: 'warn', pkgIds: {}, routes: {},
        })
        await app.listen({ port: 0 })
        await app.close()`
      const { stdout, stderr } = await run(temporary(), program, { NODE_ENV: 'production', ENV: undefined })
      expect(stderr).toBe('')
      expect(stdout.match(/\n/g)).toHaveLength(1)
      expect(JSON.parse(stdout)).toMatchObject({
        level: 'warn',
        msg: expect.stringMatching(/a checked copy runs .*; TWINWIRE_UWS_COMPAT=off forbids it$/),
      })
    },
    120_000,
  )

  it('is switched by on or off, and by nothing else', async () => {
    const program = `try { loadUws() } catch (error) { console.log(error.code, error.message) }`
    expect((await run(temporary(), program, { TWINWIRE_UWS_COMPAT: 'false' })).stdout).toBe(
      "bad_option The environment: TWINWIRE_UWS_COMPAT must be 'on' or 'off', received 'false'\n",
    )
  }, 120_000)

  it.runIf(needsCopy)(
    'says what it needs where no folder can be written',
    async () => {
      const program = `process.env.TMPDIR = '/proc'; try { loadUws() } catch (error) { console.log(error.message) }`
      expect((await run(temporary(), program)).stdout).toMatch(
        /compat copy of \S+ could not be loaded \(.*\): it needs glibc 2\.36 and a folder .*, node_modules\/\.cache or TMPDIR/,
      )
    },
    120_000,
  )

  it('refuses a file whose sum it does not know', () => {
    const folder = temporary()
    writeFileSync(join(folder, addon), 'something else')
    expect(() => loadCompatCopy(join(folder, 'uws.js'), unavailable)).toThrow(
      `this system has an older one, and ${addon} is not a build that core can bind to it`,
    )
  })

  it.runIf(needsCopy)(
    'keeps the copy, replaces one that was changed, and says so',
    async () => {
      const host = temporary()
      mkdirSync(join(host, 'node_modules'))
      expect(JSON.parse((await run(host, show)).stdout)).toMatchObject({
        compat: true,
        notes: [expect.stringMatching(/a checked copy runs .*; TWINWIRE_UWS_COMPAT=off forbids it$/)],
      })
      const cache = join(host, 'node_modules', '.cache', 'twinwire')
      const [file = ''] = readdirSync(cache)
      expect(statSync(cache).mode & 0o777).toBe(0o700)
      const { ino } = statSync(join(cache, file))
      await run(host, show)
      expect(statSync(join(cache, file)).ino).toBe(ino)
      writeFileSync(join(cache, file), 'tampered with')
      expect(JSON.parse((await run(host, show)).stdout)).toMatchObject({ compat: true })
      expect(sha256(readFileSync(join(cache, file)))).toBe(compatTable[addon]?.result)
      expect(readdirSync(cache)).toEqual([file])
    },
    120_000,
  )

  it.runIf(needsCopy)(
    'goes to a fresh folder where the cache is not safe, and leaves nothing there',
    async () => {
      const host = temporary()
      const cache = join(host, 'node_modules', '.cache', 'twinwire')
      mkdirSync(cache, { recursive: true })
      chmodSync(cache, 0o777)
      const tmp = temporary()
      const elsewhere = temporary()
      mkdirSync(join(elsewhere, 'node_modules', '.cache'), { recursive: true })
      symlinkSync(cache, join(elsewhere, 'node_modules', '.cache', 'twinwire'))
      for (const cwd of [host, elsewhere]) {
        // tsx has a folder of its own there.
        await run(cwd, show, { TMPDIR: tmp })
        expect(readdirSync(cache)).toEqual([])
        expect(readdirSync(tmp).filter((name) => name.startsWith('twinwire-'))).toEqual([])
      }
    },
    120_000,
  )
})
