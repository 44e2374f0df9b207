// The blocks of docs_site/client.md: they run against the app of the page and print what it says; the chat runs in Chromium.
import { writeFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { bundle } from '../support/bundle.ts'
import { hasChromium, startChromium } from '../support/chromium.ts'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { originOf, programEnv } from '../support/page-origin.ts'
import { startProgram } from '../support/page-program.ts'
import { runNode } from '../support/run-node.ts'
import { startSwitchProxy } from '../support/switch-proxy.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const page = await readBlocks('client-page')
const { folder } = page
const chromiumThere = hasChromium()
const run = (file: string, env = {}) =>
  runNode(['--conditions=@twinwire/source', '--import', 'tsx', file], { cwd: folder, env: { ...process.env, ...env } })

/** What is not run by itself: files that others import, the server, and what runs in a browser. */
const others = ['app.ts', 'write-manifest.ts', 'server.ts', 'client.ts', 'notes.tsx']
const programs = page.blocks.filter(({ name }) => !name.startsWith('chat/') && !others.includes(name))
/** One after the other, with the one client that they share. */
const runAll = `import { client } from './client.ts'
console.error = () => {}
for (const file of ${JSON.stringify(programs.map(({ name }) => name))}) {
  console.log('>', file)
  await import('./' + file)
  client.connect()
}
client.close()
`

describe('the blocks of the page about the client', () => {
  testBlocks(page, { 'run-all.ts': runAll })
  beforeAll(async () => {
    expect(await run('write-manifest.ts')).toMatchObject({ code: 0 })
    expect(await run('chat/write-manifest.ts')).toMatchObject({ code: 0 })
  })

  it('print what their comments say', async () => {
    const server = startProgram(folder, 'server.ts', programEnv)
    const { code, output } = await run('run-all.ts', { ...programEnv, URL: await originOf(server) })
    const printed = output
      .split('> ')
      .slice(1)
      .map((part): [string, string[]] => {
        const [name = '', ...lines] = part.trim().split('\n')
        return [name, lines.sort()]
      })
    const said = programs.map(({ name, code: text }): [string, string[]] => [
      name,
      [...text.matchAll(/console\.log\(.*?\/\/ (.+)$/gm)].map(([, comment = '']) => comment).sort(),
    ])
    expect(programs.length).toBeGreaterThan(14)
    expect(said.flatMap(([, lines]) => lines).length).toBeGreaterThan(14)
    expect(Object.fromEntries(printed)).toEqual(Object.fromEntries(said))
    expect(code).toBe(0)
    await server.end()
  })

  it.skipIf(!chromiumThere)('make a chat: what others say, and who is there', async () => {
    const script = await bundle('client-page.generated/chat/page.ts', { platform: 'browser' })
    // The type of the app is not in it.
    expect(script.text).not.toContain('valibot')
    await writeFile(`${folder}/chat/public/page.js`, script.text)
    const browser = await startChromium()
    onTestFinished(() => browser.close())
    const server = startProgram(folder, 'chat/server.ts', programEnv)
    const portOf = async (program: typeof server) => Number(new URL(await originOf(program)).port)
    const proxy = await startSwitchProxy(await portOf(server))
    onTestFinished(() => proxy.close())
    const problems: string[] = []
    const open = async (): Promise<Page> => {
      const context = await browser.newContext()
      onTestFinished(() => context.close())
      const window = await context.newPage()
      window.on('pageerror', (error) => problems.push(String(error)))
      await window.goto(`http://127.0.0.1:${proxy.port}`)
      return window
    }
    const text = (window: Page) => window.locator('p').textContent()
    const lines = (window: Page) => window.getByRole('listitem').allTextContents()
    const say = async (window: Page, line: string): Promise<void> => {
      await window.getByLabel('text').fill(line)
      await window.getByRole('button').click()
    }
    const [ann, bob] = [await open(), await open()]
    await expect.poll(() => text(ann)).toBe('open, 2 here')
    await expect.poll(() => text(bob)).toBe('open, 2 here')
    await say(ann, 'Hello')
    await expect.poll(() => lines(bob)).toEqual(['Hello'])
    await say(bob, 'Hello Ann')
    await expect.poll(() => lines(ann)).toEqual(['Hello', 'Hello Ann'])
    await bob.close()
    await expect.poll(() => text(ann)).toBe('open, 1 here')

    await server.end()
    await expect.poll(() => text(ann)).toMatch(/^(waiting|connecting), \? here$/)
    proxy.switchTo(await portOf(startProgram(folder, 'chat/server.ts', programEnv)))
    const carol = await open()
    await expect.poll(() => text(carol), { timeout: 60_000 }).toBe('open, 2 here')
    await expect.poll(() => text(ann), { timeout: 60_000 }).toBe('open, 2 here')
    await say(carol, 'Back')
    // The lines of the server that has ended are lost, and a window that was open has noticed.
    await expect.poll(() => lines(ann)).toEqual(['Back'])
    expect(problems).toEqual([])
  })
})
