import type { BuiltApp } from './built-app.ts'
import { chaosPkgIds } from './chaos-shared.ts'
import type { ChildEnd } from './child-app.ts'
import { type CutProxy, startCutProxy } from './cut-proxy.ts'
import { httpCall } from './http-call.ts'
import { PackageClient } from './package-client.ts'
import { type MessageProxy, type MessageVerdict, type PostgresMessage, startMessageProxy } from './postgres-messages.ts'

export type ChaosWire = 'ws' | 'http'
/** Whose transaction: that of a call, or one in which the outbox sends. */
export type ChaosTransaction = 'call' | 'sender'

/** When a node is killed. */
export type KillPoint =
  /** The `n`th message of a transaction, counted from BEGIN: `hold` before it is passed on, `last` after it. */
  | { readonly kind: 'message'; readonly of: ChaosTransaction; readonly n: number; readonly verdict: 'hold' | 'last' }
  /** The first byte of the reply is there, and does not reach the client. */
  | { readonly kind: 'reply' }
  | { readonly kind: 'moment'; readonly delayMs: number }

export interface ChaosCall {
  readonly wire: ChaosWire
  readonly key: string
  readonly topic: string
}

export interface ChaosAnswer {
  readonly wire: ChaosWire
  /** Of HTTP, or of the package. */
  readonly status: number
  readonly data: unknown
}

export interface ArmedPoint {
  readonly onSend: () => void
  /** Whether the transaction of the call has committed; null if it is not known. */
  readonly hasCommitted: () => boolean | null
  /** At which the node was killed: who sent it, and its type. */
  readonly message: () => string | null
}

/** A process that serves `chaos-app.ts`, behind a proxy, and in front of one. */
export class ChaosNode {
  readonly name: string
  readonly proxy: MessageProxy
  readonly #front: CutProxy
  readonly #child: Awaited<ReturnType<BuiltApp['start']>>
  #isDead = false

  private constructor(
    name: string,
    proxy: MessageProxy,
    front: CutProxy,
    child: Awaited<ReturnType<BuiltApp['start']>>,
  ) {
    this.name = name
    this.proxy = proxy
    this.#front = front
    this.#child = child
  }

  static async start(
    app: BuiltApp,
    name: string,
    databaseUrl: string,
    env: Readonly<Record<string, string>>,
  ): Promise<ChaosNode> {
    const proxy = await startMessageProxy(databaseUrl)
    const child = await app.start({ ...env, DATABASE: proxy.url, NODE: name })
    const front = await startCutProxy(`http://127.0.0.1:${child.port}`)
    return new ChaosNode(name, proxy, front, child)
  }

  get isDead(): boolean {
    return this.#isDead
  }

  get ended(): Promise<ChildEnd> {
    return this.#child.ended
  }

  get output(): string {
    return this.#child.output()
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#isDead ||= signal === 'SIGKILL'
    this.#child.kill(signal)
  }

  /** Kills it, if that has not been done, and closes its proxies. */
  async close(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended
    this.proxy.close()
    this.#front.close()
  }

  /** Calls MARK. Null: the node was killed before the answer. `onSend`: directly before the call leaves. */
  async call(call: ChaosCall, onSend: () => void = () => {}): Promise<ChaosAnswer | null> {
    try {
      return call.wire === 'ws' ? await this.#callWebSocket(call, onSend) : await this.#callHttp(call, onSend)
    } catch (error) {
      if (this.#isDead) return null
      throw error
    }
  }

  async #callHttp({ key, topic }: ChaosCall, onSend: () => void): Promise<ChaosAnswer> {
    onSend()
    const input = { name: key, topic }
    const { status, body } = await httpCall(`${this.#front.url}marks`, 'POST', input, 'ann', { 'idempotency-key': key })
    return { wire: 'http', status, data: body }
  }

  async #callWebSocket({ key, topic }: ChaosCall, onSend: () => void): Promise<ChaosAnswer> {
    const client = await PackageClient.connect(`${this.#front.url.replace('http', 'ws')}ws`, 'ann')
    try {
      onSend()
      const { status_code: status = -1, data } = await client.call(chaosPkgIds.MARK, { name: key, topic }, key)
      return { wire: 'ws', status, data }
    } finally {
      await client.close()
    }
  }

  arm(point: KillPoint): ArmedPoint {
    const kill = (): void => this.signal('SIGKILL')
    if (point.kind === 'moment')
      return { onSend: () => void setTimeout(kill, point.delayMs), hasCommitted: () => null, message: () => null }
    if (point.kind === 'reply') {
      const onSend = (): void => {
        this.#front.toClient = () => {
          kill()
          return 'hold'
        }
      }
      return { onSend, hasCommitted: () => true, message: () => null }
    }
    const { of, n, verdict } = point
    const watch = new TransactionWatch(of)
    let hasCommitted = false
    this.proxy.onStop = kill
    this.proxy.onMessage = (message): MessageVerdict => {
      const number = watch.see(message)
      const decided = number === n ? verdict : 'pass'
      if (number > 0 && message.query === 'commit' && decided !== 'hold') hasCommitted = true
      return decided
    }
    return {
      onSend: () => {},
      hasCommitted: () => (of === 'call' ? hasCommitted : null),
      message: () => watch.messages[n - 1] ?? null,
    }
  }
}

const begins: Readonly<Record<ChaosTransaction, RegExp>> = {
  call: /^begin(; execute [^;]*)?$/,
  sender: /^begin .*read committed/,
}

/** Numbers the messages of a transaction, from BEGIN to the answer of COMMIT, in both directions. */
export class TransactionWatch {
  /** Of the last transaction: who sent it, and its type. */
  readonly messages: string[] = []
  readonly #begin: RegExp
  #connection: object | null = null
  #isEnding = false

  constructor(of: ChaosTransaction) {
    this.#begin = begins[of]
  }

  /** Returns its number; 0 for a message that is not of such a transaction. */
  see({ from, type, query, connection }: PostgresMessage): number {
    if (this.#connection === null) {
      if (!this.#begin.test(query)) return 0
      this.#connection = connection
      this.messages.length = 0
    } else if (connection !== this.#connection) return 0
    if (query === 'commit' || query === 'rollback') this.#isEnding = true
    // Each call has a key of its own.
    const text = query.replaceAll(/'[^']*'/g, '?')
    const number = this.messages.push(`${from} ${type}${text === '' ? '' : ` ${text}`}`)
    if (this.#isEnding && from === 'server' && type === 'Z') {
      this.#connection = null
      this.#isEnding = false
    }
    return number
  }
}
