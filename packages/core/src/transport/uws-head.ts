import { findHeader, toHeaderRecord } from './header-record.ts'
import { toIpText } from './ip-text.ts'
import { findMalformed } from './malformed-head.ts'
import type { RequestHead } from './transport.ts'
import { type Fault, report } from './uws-guard.ts'
import type { UwsRequest, UwsResponse } from './uws-types.ts'

/**
 * What requests and upgrades share. The header is copied once, in one native call, when the first of it is asked for: core looks
 * for repeated fields, which uWS tells in no other way. The rest is copied by `detach` when the request is unanswered as the
 * callback returns, for then it dies (rule 3).
 */
export abstract class UwsHead implements RequestHead {
  readonly method: string
  /** Null as soon as no native call may be made on it any more (rule 1). */
  protected res: UwsResponse | null
  /** Null once the callback has returned (rule 3). While it is there the response is corked (rule 5). */
  protected req: UwsRequest | null
  protected readonly fault: Fault
  readonly secure: boolean
  #path: string | undefined
  #query: string | undefined
  #address: string | undefined
  /** Names and values in turn, once they were copied: half the price of a record, which few ask for. */
  #pairs: readonly string[] | null = null
  #headers: Readonly<Record<string, string>> | undefined
  #malformed: string | null | undefined
  #aborted = false
  #callbacks: (() => void)[] | null = null

  constructor(method: string, res: UwsResponse, req: UwsRequest, fault: Fault, secure: boolean) {
    this.method = method
    this.res = res
    this.req = req
    this.fault = fault
    this.secure = secure
    // Before anything else: a callback that returns with neither an answer nor this ends the process (rule 2). uWS
    // keeps one handler only, so this one fans out.
    res.onAborted(() => this.abort())
  }

  get path(): string {
    this.#path ??= this.req?.getUrl() ?? ''
    return this.#path
  }

  get query(): string {
    this.#query ??= this.req?.getQuery() ?? ''
    return this.#query
  }

  /**
   * Costs a system call and 1 us, so it is asked for only when somebody asks, and not after the client or the answer
   * has gone.
   */
  get address(): string {
    if (this.#address === undefined) {
      if (this.res === null) return ''
      this.#address = toIpText(this.res.getRemoteAddress())
    }
    return this.#address
  }

  header(name: string): string {
    return findHeader(this.#copyHeaders(), name)
  }

  get malformed(): string | null {
    if (this.#malformed === undefined) this.#malformed = findMalformed(this.#copyHeaders())
    return this.#malformed
  }

  headers(): Readonly<Record<string, string>> {
    this.#headers ??= toHeaderRecord(this.#copyHeaders())
    return this.#headers
  }

  get aborted(): boolean {
    return this.#aborted
  }

  onAborted(callback: () => void): void {
    if (this.#aborted) this.#run(callback)
    else if (this.res === null) return
    else if (this.#callbacks === null) this.#callbacks = [callback]
    else this.#callbacks.push(callback)
  }

  /** The callback returns: copies what is not answered yet, and lets go of the request. */
  detach(): void {
    if (this.res !== null) {
      void this.path
      void this.query
      this.#copyHeaders()
    }
    this.req = null
  }

  /** The client is gone, or we cut it. uWS has let go of the response already. */
  protected abort(): void {
    if (this.res === null) return
    this.res = null
    this.#aborted = true
    const callbacks = this.#callbacks
    this.#callbacks = null
    if (callbacks !== null) for (const callback of callbacks) this.#run(callback)
  }

  /**
   * Gives up the response just before the native call that ends it, so that whatever that call sets off finds it gone.
   */
  protected settle(): void {
    this.res = null
    this.#callbacks = null
  }

  /**
   * Answers a malformed request and closes. Not within the callback: uWS would take what follows in the same read for the next
   * request and serve it. A request that is pending makes it close the connection instead.
   */
  protected refuse(call: (res: UwsResponse) => void): void {
    setImmediate(() => this.last(call))
  }

  /** Whether the client has said by itself that the connection closes: uWS does not repeat it then. */
  protected get saidClose(): boolean {
    return this.header('connection').toLowerCase() === 'close'
  }

  /** Has the callback that brought it returned? */
  protected get isLate(): boolean {
    return this.req === null
  }

  /** The native calls that end the response. After the callback they have to be corked by hand (rule 5). */
  protected last(call: (res: UwsResponse) => void): void {
    const res = this.res
    if (res === null) return
    const { isLate } = this
    this.settle()
    if (isLate) res.cork(() => call(res))
    else call(res)
  }

  #copyHeaders(): readonly string[] {
    if (this.#pairs === null) {
      collected = []
      this.req?.forEach(collect)
      this.#pairs = collected
    }
    return this.#pairs
  }

  #run(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      report(this.fault, error)
    }
  }
}

// One function for all requests: `forEach` runs it before it returns.
let collected: string[] = []
const collect = (name: string, value: string): void => {
  collected.push(name, value)
}
