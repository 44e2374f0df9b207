import type { BuiltApp } from './built-app.ts'
import type { AuditChaosCall, AuditChaosLedger } from './chaos-audit-ledger.ts'
import { type AuditChaosMode, auditChaosPaths, auditChaosPkgIds } from './chaos-audit-shared.ts'
import type { ChildApp } from './child-app.ts'
import { httpCall } from './http-call.ts'
import { PackageClient } from './package-client.ts'

/** A process that serves `chaos-audit-app.ts`, from its start to its end. */
export class AuditChaosNode {
  readonly name: string
  readonly mode: AuditChaosMode
  readonly #child: ChildApp
  #client: Promise<PackageClient> | null = null
  /** How it has ended, or is about to. */
  end: 'killed' | 'stopped' | null = null
  /** The most that an answer has said; of one that was stopped, what it said at its end. */
  dropped = 0

  private constructor(name: string, mode: AuditChaosMode, child: ChildApp) {
    this.name = name
    this.mode = mode
    this.#child = child
  }

  static async start(app: BuiltApp, name: string, mode: AuditChaosMode, env: Readonly<Record<string, string>>) {
    return new AuditChaosNode(name, mode, await app.start({ ...env, MODE: mode }))
  }

  get output(): string {
    return this.#child.output()
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.end ??= 'killed'
    this.#child.kill('SIGKILL')
    await this.#child.ended
  }

  /** SIGTERM. @throws when it does not end by itself, with the code 0 */
  async stop(): Promise<void> {
    this.end ??= 'stopped'
    this.#child.kill('SIGTERM')
    const { code, signal } = await this.#child.ended
    if (code !== 0) throw new Error(`${this.name} ended with ${code ?? signal}:\n${this.output}`)
    const said = /at the end: dropped (\d+)/.exec(this.output)
    if (said === null) throw new Error(`${this.name} did not say how many rows it has dropped:\n${this.output}`)
    this.dropped = Number(said[1])
  }

  /** False: it has ended, and the call has no answer. */
  async call(ledger: AuditChaosLedger, call: AuditChaosCall): Promise<boolean> {
    ledger.begin(call)
    try {
      const answer = call.wire === 'ws' ? await this.#callWebSocket(call) : await this.#callHttp(call)
      const text = JSON.stringify(answer)
      this.dropped = Math.max(this.dropped, Number(/dropped (\d+)/.exec(text)?.[1] ?? 0))
      ledger.answered(call, answer)
      return true
    } catch (error) {
      if (this.end !== null) return false
      throw new Error(`${this.name} does not answer ${JSON.stringify({ ...call, node: this.name })}`, { cause: error })
    }
  }

  async #callHttp({ route, name, does }: AuditChaosCall): Promise<unknown> {
    const url = `http://127.0.0.1:${this.#child.port}${auditChaosPaths[route]}`
    return (await httpCall(url, 'POST', { name, does })).body
  }

  async #callWebSocket({ route, name, does }: AuditChaosCall): Promise<unknown> {
    this.#client ??= PackageClient.connect(`ws://127.0.0.1:${this.#child.port}/ws`)
    return (await (await this.#client).call(auditChaosPkgIds[route], { name, does })).data
  }
}
