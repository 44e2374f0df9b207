// A block of docs_site/logs.md that its commands do not run: the call that the running code belongs to.
import { describe, expect, it, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { originOf, programEnv } from '../support/page-origin.ts'
import { startProgram } from '../support/page-program.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('logs', 'logs-page')
const serve = `import { closeOnSignals, currentCall } from '@twinwire/core'
import { app } from './deep.ts'

console.log('outside', currentCall())
await app.listen({ port: 0 })
closeOnSignals(app)
`

describe('the blocks of the page about logs', () => {
  testBlocks(page, { 'serve.ts': serve })

  it('deep.ts logs with the fields of the call, below its handler', async () => {
    const program = startProgram(page.folder, 'serve.ts', programEnv)
    const url = await originOf(program)
    await program.find(/^outside null$/m)
    const answer = await fetch(`${url}/start`, { headers: { 'x-correlation-id': 'call-1' } })
    expect(answer.status).toBe(204)
    const [line] = await program.find(/^\{.*"msg":"Here"\}$/m)
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      request_id: 'call-1',
      wire: 'http',
      route: 'START',
      method: 'GET',
      endpoint: '/start',
    })
    await program.end()
  })
})
