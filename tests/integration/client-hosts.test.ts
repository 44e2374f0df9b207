// The client in each of its hosts: one file of cases, bundled for the host, that calls one app.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findNodes } from '../package/lib/nodes.mjs'
import { bundle } from '../support/bundle.ts'
import { hasChromium, startChromium } from '../support/chromium.ts'
import type { CaseReport, HostConfig } from '../support/client-hosts/cases.ts'
import { type HostServer, startHostServer } from '../support/client-hosts/host-server.ts'
import { findRuntime } from '../support/client-hosts/runtimes.ts'

const caseCount = 11
const chromiumThere = hasChromium()
/** Hosts on the command line. `file`: the bundle that it runs. */
const hosts = [
  ...findNodes().map(({ version, path }) => {
    const file = version.startsWith('20.') ? 'main-ws.mjs' : 'main.mjs'
    return { name: `node-${version}`, command: [path], file }
  }),
  ...(['Bun', 'Deno'] as const).map((name) => ({ name, command: findRuntime(name), file: 'main.mjs' })),
]

let server: HostServer
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinwire-hosts-'))
  const [page, main, mainWs] = await Promise.all([
    // Without a platform's own modules: an import of one fails.
    bundle('support/client-hosts/page.ts', { platform: 'browser' }),
    bundle('support/client-hosts/main.ts', { platform: 'neutral', external: ['node:process'] }),
    bundle('support/client-hosts/main-ws.ts', {
      platform: 'node',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
    }),
  ])
  await writeFile(join(folder, 'main.mjs'), main.text)
  await writeFile(join(folder, 'main-ws.mjs'), mainWs.text)
  server = await startHostServer(
    new Map([
      [
        '/',
        '<!doctype html><title>Cases</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
      ],
      ['/page.js', page.text],
    ]),
  )
})
afterAll(async () => {
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

describe.concurrent('the client', () => {
  test.each(hosts.filter(({ command }) => command !== null))(
    'in $name',
    async ({ name, command, file }) => {
      check(await runIn(command ?? [], file, await server.configOf(name)))
    },
    120_000,
  )

  test.skipIf(!chromiumThere)(
    'in Chromium',
    async () => {
      let browser: Browser | null = null
      try {
        browser = await startChromium()
        const page = await browser.newPage()
        const problems: string[] = []
        page.on('pageerror', (error) => problems.push(String(error)))
        await page.goto(server.origin)
        const config = await server.configOf('chromium')
        check(JSON.parse(await page.evaluate(`runCases(${JSON.stringify(config)}).then(JSON.stringify)`)))
        expect(problems).toEqual([])
      } finally {
        await browser?.close()
      }
    },
    120_000,
  )
})

function check(reports: readonly CaseReport[]): void {
  expect(reports.filter(({ error }) => error !== null)).toEqual([])
  expect(reports).toHaveLength(caseCount)
}

function runIn(command: readonly string[], file: string, config: HostConfig): Promise<readonly CaseReport[]> {
  const [path = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(path, [...args, join(folder, file), JSON.stringify(config)], { cwd: folder })
    let [output, errors] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    // It ends by itself: nothing of a closed client keeps it alive.
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(output))
      else reject(new Error(`exit code ${code}\n${output}\n${errors}`))
    })
  })
}
