import type { BuiltApp } from './built-app.ts'
import type { Attempt } from './chaos-faults-ledger.ts'
import { faultsPaths, faultsPkgIds, type WriteInput, type WriteRoute } from './chaos-faults-shared.ts'
import type { ChaosWire } from './chaos-node.ts'
import type { ChildApp } from './child-app.ts'
import { httpCall } from './http-call.ts'
import { PackageClient } from './package-client.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

export type CallEnd = NonNullable<Attempt['end']>

/** A place for processes of `chaos-faults-app.ts`, one after the other, with proxies to its clients and to its database and broker. */
export class FaultsNode {
  readonly name: string
  /** To this node, whichever process it is. */
  readonly front: TcpProxy
  readonly database: TcpProxy
  readonly broker: TcpProxy
  readonly #app: BuiltApp
  readonly #env: Readonly<Record<string, string>>
  #child: ChildApp

  private constructor(
    name: string,
    app: BuiltApp,
    env: Readonly<Record<string, string>>,
    child: ChildApp,
    proxies: { readonly front: TcpProxy; readonly database: TcpProxy; readonly broker: TcpProxy },
  ) {
    this.name = name
    this.#app = app
    this.#env = env
    this.#child = child
    this.front = proxies.front
    this.database = proxies.database
    this.broker = proxies.broker
  }

  static async start(
    name: string,
    app: BuiltApp,
    urls: { readonly database: string; readonly broker: string },
    env: Readonly<Record<string, string>>,
  ): Promise<FaultsNode> {
    const [database, broker] = [await through(urls.database), await through(urls.broker)]
    const all = { ...env, DATABASE: database.url, REDIS: broker.url }
    const child = await app.start(all)
    const front = await startTcpProxy(child.port)
    return new FaultsNode(name, app, all, child, { front, database: database.proxy, broker: broker.proxy })
  }

  get url(): string {
    return `http://127.0.0.1:${this.front.port}`
  }

  get output(): string {
    return this.#child.output()
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  /** Ends the process; resolves when it has ended. @throws when it had to be killed, but was asked to stop */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#child.kill(signal)
    const end = await this.#child.ended
    if (signal === 'SIGTERM' && end.signal !== null)
      throw new Error(`${this.name} was asked to stop, and ended with ${end.signal}:\n${this.output}`)
  }

  /** Tries until it listens: what it needs may be away. */
  async restart(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#child = await this.#app.start(this.#env)
        this.front.target = this.#child.port
        return
      } catch (error) {
        if (attempt === 20) throw error
      }
    }
  }

  async close(): Promise<void> {
    await this.end('SIGKILL')
    await Promise.all([this.front.close(), this.database.close(), this.broker.close()])
  }
}

async function through(address: string): Promise<{ readonly url: string; readonly proxy: TcpProxy }> {
  const url = new URL(address)
  const proxy = await startTcpProxy(Number(url.port))
  url.port = String(proxy.port)
  return { url: url.href, proxy }
}

/** The connections of one client. */
export class FaultsClient {
  readonly #token: () => string
  readonly #sockets = new Map<FaultsNode, PackageClient>()

  constructor(token: () => string) {
    this.#token = token
  }

  /** `onSend` is called once the call is on its way; not when there is no connection to send it on. */
  async write(
    node: FaultsNode,
    wire: ChaosWire,
    route: WriteRoute,
    input: WriteInput,
    key: string,
    onSend: () => void,
  ): Promise<CallEnd | null> {
    try {
      return wire === 'http'
        ? await this.#writeHttp(node, route, input, key, onSend)
        : await this.#writeSocket(node, route, input, key, onSend)
    } catch (error) {
      if (error instanceof Error && /within \d+ ms/.test(error.message)) throw error
      if (error instanceof DOMException && error.name === 'TimeoutError') throw error
      return {
        kind: 'closed',
        why: error instanceof Error ? `${error.message} ${String(error.cause ?? '')}` : String(error),
      }
    }
  }

  /** Rows of a name, or null where that cannot be asked now. */
  async count(node: FaultsNode, name: string): Promise<number | null> {
    try {
      const { status, body } = await httpCall(`${node.url}/writes/${name}`, 'GET', undefined, this.#token())
      return status === 200 ? Number(Object(body).rows) : null
    } catch {
      return null
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.values()) await socket.close()
  }

  async #writeHttp(node: FaultsNode, route: WriteRoute, input: WriteInput, key: string, onSend: () => void) {
    onSend()
    const url = `${node.url}${faultsPaths[route]}`
    const { status, body } = await httpCall(url, 'POST', input, this.#token(), { 'idempotency-key': key })
    return toEnd(status === 201, status, Object(body).error)
  }

  async #writeSocket(
    node: FaultsNode,
    route: WriteRoute,
    input: WriteInput,
    key: string,
    onSend: () => void,
  ): Promise<CallEnd | null> {
    const socket = await this.#socketTo(node)
    if (socket === null) return null
    onSend()
    const { status_code: status = -1, data } = await socket.call(faultsPkgIds[route], input, key)
    return toEnd(status === 0, status, data)
  }

  /** Null: it is not reached now. */
  async #socketTo(node: FaultsNode): Promise<PackageClient | null> {
    const open = this.#sockets.get(node)
    if (open !== undefined) return open
    try {
      const socket = await PackageClient.connect(`ws://127.0.0.1:${node.front.port}/ws`, this.#token())
      this.#sockets.set(node, socket)
      void socket.closed.then(() => {
        if (this.#sockets.get(node) === socket) this.#sockets.delete(node)
      })
      await socket.controlled(1)
      return socket
    } catch {
      return null
    }
  }
}

function toEnd(isDone: boolean, status: number, error: unknown): CallEnd {
  if (isDone) return { kind: 'answered', code: 'ok' }
  const { code } = Object(error)
  return { kind: 'answered', code: typeof code === 'string' ? code : `status ${status}` }
}
