import { findHeader, findMalformed, toHeaderRecord } from './request-headers.ts'
import type { RequestHead } from './transport.ts'
import type { UwsRequest, UwsResponse } from './uws-types.ts'

/** Where faults go. */
export type Fault = (error: unknown) => void

/** A throw must never unwind through native code (rule 30), not even the one of whoever is told about it. */
export function report(fault: Fault, error: unknown): void {
  try {
    fault(error)
  } catch {
    // Nobody is left to tell.
  }
}

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

/**
 * An IP address as text: 4 bytes dotted, 16 bytes in the form of RFC 5952, and IPv4 mapped into IPv6 dotted, so that
 * one client has one name whichever kind of socket it came through.
 */
export function toIpText(address: ArrayBuffer): string {
  const bytes = new Uint8Array(address)
  if (bytes.length === 4) return dotted(bytes, 0)
  if (bytes.length !== 16) return ''
  if (isMapped(bytes)) return dotted(bytes, 12)
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] ?? 0) << 8) | (bytes[i * 2 + 1] ?? 0))
  const [start, length] = longestZeros(groups)
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':')
  if (length < 2) return text(groups)
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}

function dotted(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
}

/** ::ffff:0:0/96 */
function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false
  return bytes[10] === 0xff && bytes[11] === 0xff
}

/** The first of the longest runs of zeros, as `[start, length]`. */
function longestZeros(groups: readonly number[]): [number, number] {
  let best: [number, number] = [0, 0]
  let run = 0
  groups.forEach((group, i) => {
    run = group === 0 ? run + 1 : 0
    if (run > best[1]) best = [i - run + 1, run]
  })
  return best
}
