import { randomUUID } from 'node:crypto'
import { WebSocket } from 'ws'

/** Calls on both wires that go on until they are stopped, with a name for each. */
export interface ClusterLoad {
  /** Resolves after so many more answers. */
  answered(count: number): Promise<void>
  stop(): Promise<{
    readonly answered: ReadonlySet<string>
    /** Requests without an answer, with the reason. */
    readonly failed: readonly unknown[]
    /** Codes with which open WebSockets ended that the client did not end. */
    readonly closes: readonly number[]
  }>
}

const handlerMs = 5

/** `clients` of each wire: HTTP ones with a connection for each request, WebSocket ones that connect again when they are closed. */
export function startLoad(port: number, clients = 4): ClusterLoad {
  const answered = new Set<string>()
  const failed: unknown[] = []
  const closes: number[] = []
  const waiting = new Set<() => void>()
  let running = true

  const note = (name: string): void => {
    answered.add(name)
    for (const look of [...waiting]) look()
  }

  async function request(): Promise<void> {
    while (running) {
      const name = randomUUID()
      try {
        const response = await fetch(`http://127.0.0.1:${port}/work/${handlerMs}/${name}`, {
          headers: { connection: 'close' },
        })
        const { name: echoed } = Object(await response.json())
        if (response.status === 200 && echoed === name) note(name)
        else failed.push(response.status)
      } catch (error) {
        failed.push(error)
      }
    }
  }

  async function connect(): Promise<void> {
    while (running) {
      await new Promise<void>((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
        let pending = 0
        let isOpen = false
        const send = (): void => {
          const data = { ms: handlerMs, name: randomUUID() }
          socket.send(JSON.stringify({ pkg_id: 2, req_id: randomUUID(), method: '', data }))
          pending += 1
        }
        socket.on('open', () => {
          isOpen = true
          for (let i = 0; i < 8; i++) send()
        })
        socket.on('message', (message) => {
          const { status_code, data } = JSON.parse(String(message))
          pending -= 1
          if (status_code === 0) note(data.name)
          else failed.push(status_code)
          if (running) send()
          else if (pending === 0) socket.close(1000)
        })
        socket.on('error', (error) => failed.push(error))
        socket.on('close', (code) => {
          // One that was never accepted has failed with an error.
          if (isOpen && code !== 1000) closes.push(code)
          resolve()
        })
      })
    }
  }

  const loops = Array.from({ length: clients }, () => [request(), connect()]).flat()
  return {
    answered: (count) =>
      new Promise((resolve) => {
        const until = answered.size + count
        const look = (): void => {
          if (answered.size < until) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
      }),
    async stop() {
      running = false
      await Promise.all(loops)
      return { answered, failed, closes }
    },
  }
}
