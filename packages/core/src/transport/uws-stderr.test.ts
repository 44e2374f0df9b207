import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const require = createRequire(import.meta.url)
const tsx = pathToFileURL(require.resolve('tsx', { paths: [process.cwd()] })).href

// In a process of its own: what uWS prints goes past Node to the file descriptor.
it('sockets whose upgrade had to wait, one after the other, open without a line on stderr', async () => {
  const program = `
    import { WebSocket } from 'ws'
    import { defaultSocketLimits } from './socket-limits.ts'
    import { uws } from './uws-server.ts'
    const transport = uws()
    const handlers = {
      upgrade(request) {
        request.onAborted(() => {})
        const answer = () => request.query === 'no'
          ? request.reject(403, [], 'no')
          : request.accept({ opened: (socket) => void socket.send('hello', false), message() {}, closed() {} })
        setTimeout(answer, 5)
      },
      request: (exchange) => void setTimeout(() => exchange.respond(200, [], 'late'), 5),
      fault: (error) => console.error(error),
    }
    const { port, notes } = await transport.listen({ host: '127.0.0.1', port: 0, websocketPath: '/ws', limits: defaultSocketLimits }, handlers)
    const open = (path) => new Promise((resolve) => {
      const ws = new WebSocket('ws://127.0.0.1:' + port + path)
      ws.on('error', () => resolve('refused'))
      ws.on('message', (data) => { ws.close(); ws.on('close', () => resolve(String(data))) })
    })
    const said = []
    for (const path of ['/ws', '/ws', '/ws?no', '/ws']) said.push(await open(path))
    said.push(await (await fetch('http://127.0.0.1:' + port)).text())
    console.log(JSON.stringify({ said, notes: notes.filter((note) => note.includes('127.0.0.1')) }))
    await transport.close()
  `
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', tsx, '--input-type=module', '--eval', program],
    { cwd: import.meta.dirname },
  )
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({ said: ['hello', 'hello', 'refused', 'hello', 'late'], notes: [] })
})
