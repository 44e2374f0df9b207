import { findHeader, findMalformed, toHeaderRecord } from './request-headers.ts'
import type { RequestHead } from './transport.ts'
import type { UwsRequest, UwsResponse } from './uws-types.ts'

/** Where faults go. */
export type Fault = (error: unknown) => void

/** Reports an error of a handler. What the reporter throws is dropped: an exception must not unwind through native code. */
export function reportFault(fault: Fault, error: unknown): void {
  try {
    fault(error)
  } catch {
    // There is no one left to report to.
  }
}

/**
 * What requests and upgrades share. The header fields are copied once, in one native call, when the first of them is read: core looks for
 * repeated fields, which uWS shows in no other way. `detach` copies the rest when the callback returns without an answer, because the
 * native request is dead then.
 */
export abstract class UwsHead implements RequestHead {
  readonly method: string
  /** Null as soon as a native call on it would throw: uws-rules.md#response-lifetime. */
  protected res: UwsResponse | null
  /** Null once the callback has returned, which ends its life. */
  protected req: UwsRequest | null
  protected readonly fault: Fault
  readonly secure: boolean
  /** Within a callback of uWS for this socket, which collects what is written. */
  protected isCorked = true
  #watched = false
  #isKept = false
  #path: string | undefined
  #query: string | undefined
  #address: string | undefined
  /** Names and values in turn, once copied: costs half of a record, which few handlers read. */
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
   * Costs a system call and 1 us, so it is read when it is needed; '' once the client has disconnected or was answered.
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

  /** The callback returns: copies the request unless it was answered, and drops it. Never left out: `watch`. */
  detach(): void {
    const { res } = this
    if (res !== null) {
      this.watch(res)
      void this.path
      void this.query
      this.#copyHeaders()
      if (!this.isReceiving) this.keepAddress()
    }
    this.req = null
    this.isCorked = false
  }

  /** Will another callback of uWS follow at once, after which `keepAddress` is called? */
  protected get isReceiving(): boolean {
    return false
  }

  /** Not answered within its callback: the address is read before the client can disconnect. */
  protected keepAddress(): void {
    if (this.#isKept) return
    this.#isKept = true
    if (unanswered.push(this) === 1) setImmediate(keepAddresses)
  }

  /**
   * Listens for the abort. A callback that returns with neither an answer nor this ends the process, so it is called wherever an answer is
   * not complete by then: for one that comes later, one that the client takes slowly, one whose writing threw. uWS keeps one handler only,
   * so this one fans out.
   */
  protected watch(res: UwsResponse): void {
    if (this.#watched) return
    this.#watched = true
    res.onAborted(() => this.abort())
  }

  /** The client has disconnected, or was cut. uWS has freed the response already. */
  protected abort(): void {
    if (this.res === null) return
    this.res = null
    this.#aborted = true
    const callbacks = this.#callbacks
    this.#callbacks = null
    if (callbacks !== null) for (const callback of callbacks) this.#run(callback)
  }

  /**
   * Drops the response just before the native call that ends it, so that handlers called by it find it dropped.
   */
  protected settle(): void {
    this.res = null
    this.#callbacks = null
  }

  /**
   * Answers a malformed request and closes, after the callback: within it uWS would serve what follows in the same read as the next
   * request. While a request is pending it closes the connection instead.
   */
  protected refuse(call: (res: UwsResponse) => void): void {
    setImmediate(() => this.last(call))
  }

  /** Has the client sent `connection: close`? uWS does not repeat it then. */
  protected get saidClose(): boolean {
    return this.header('connection').toLowerCase() === 'close'
  }

  /** Makes the native calls that end the response. Outside of a callback of uWS they must be corked by hand. */
  protected last(call: (res: UwsResponse) => void): void {
    const res = this.res
    if (res === null) return
    this.settle()
    if (!this.isCorked) {
      res.cork(() => call(res))
      return
    }
    try {
      call(res)
    } catch (error) {
      this.watchUnfinished(res)
      throw error
    }
  }

  /** Writing an answer threw, perhaps after it was complete. */
  protected watchUnfinished(res: UwsResponse): void {
    try {
      this.watch(res)
    } catch {
      // It was complete, so that nothing has to listen.
    }
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
      reportFault(this.fault, error)
    }
  }
}

/** Their addresses are read at the end of this turn of the event loop. Most are answered by then, and theirs is never read. */
let unanswered: UwsHead[] = []
const keepAddresses = (): void => {
  const heads = unanswered
  unanswered = []
  for (const head of heads) void head.address
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
