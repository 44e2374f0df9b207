// The blocks of docs_site/boot-errors.md: what a program says, and the links of errors.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type App, BootError } from '@twinwire/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readBlocks, testBlocks, writeBlocks } from '../support/page-blocks.ts'
import { startProgram } from '../support/page-program.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('boot-errors')
const { folder } = page

describe('the blocks of the page about boot errors', () => {
  testBlocks(page)

  it('main.ts says that it may be running already, when its port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const port = Object(server.address()).port
    const code = page.blocks.find(({ name }) => name === 'main.ts')?.code ?? ''
    const call = 'app.listen()'
    expect(code).toContain(call)
    await writeBlocks(folder, {
      blocks: [{ name: 'busy.ts', code: code.replace(call, `app.listen({ port: ${port}, host: '127.0.0.1' })`) }],
    })
    const program = startProgram(folder, 'busy.ts', { ENV: 'dev', NODE_ENV: 'development', DOCS_URL: '' })
    expect(await once(program.child, 'exit')).toEqual([1, null])
    expect(program.text()).toContain('Is it running already?\n')
    expect(program.text()).toContain(`Port ${port} of 127.0.0.1 is already in use: stop the other listener`)
  })

  it('linked.ts has links in its errors, and not in their messages', async () => {
    const { app }: { app: App } = await import(`${folder}/linked.ts`)
    await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const error: unknown = await app.listen().catch((thrown: unknown) => thrown)
    if (!(error instanceof BootError)) throw new Error('It listens twice')
    const link = 'https://docs.example.com/boot-errors#wrong_state'
    expect([error.code, error.docs, error.message]).toEqual([
      'wrong_state',
      link,
      'The app is already listening: call listen once',
    ])
    expect(error.stack).toContain(link)
  })

  it('billing.ts throws a code of its own', async () => {
    const { billing }: { billing(provider: string): void } = await import(`${folder}/billing.ts`)
    expect(billing('card')).toBeUndefined()
    const message = "billing(): provider 'cash' is not known: use one of card, invoice"
    expect(() => billing('cash')).toThrow(new BootError('billing.unknown_provider', message))
    expect(() => billing('cash')).toThrow(expect.objectContaining({ code: 'billing.unknown_provider' }))
  })
})
