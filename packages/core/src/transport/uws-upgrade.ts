import type { HeaderList, SocketListener, TransportHandlers, UpgradeRequest } from './transport.ts'
import type { Unsent } from './unsent.ts'
import { findBadHeader, writeAnswer } from './uws-answer.ts'
import { UwsSocket } from './uws-connection.ts'
import { type Fault, report } from './uws-guard.ts'
import { UwsHead } from './uws-head.ts'
import type { UwsRequest, UwsResponse, UwsUpgradeContext, UwsWebSocket } from './uws-types.ts'

/** One upgrade from its callback on. */
export function serveUpgrade(
  handlers: TransportHandlers,
  res: UwsResponse,
  req: UwsRequest,
  context: UwsUpgradeContext,
  secure: boolean,
  open: ReadonlySet<UwsWebSocket>,
  unsent: Unsent,
): void {
  const upgrade = new UwsUpgrade(res, req, context, handlers.fault, secure, open, unsent)
  try {
    handlers.upgrade(upgrade)
  } catch (error) {
    upgrade.fail(error)
  }
  upgrade.detach()
}

/**
 * Rule 19: aborts are listened to first, what `upgrade` needs is copied, and nothing native is called after an abort.
 */
class UwsUpgrade extends UwsHead implements UpgradeRequest {
  readonly #context: UwsUpgradeContext
  readonly #open: ReadonlySet<UwsWebSocket>
  readonly #unsent: Unsent

  constructor(
    res: UwsResponse,
    req: UwsRequest,
    context: UwsUpgradeContext,
    fault: Fault,
    secure: boolean,
    open: ReadonlySet<UwsWebSocket>,
    unsent: Unsent,
  ) {
    super('GET', res, req, fault, secure)
    this.#context = context
    this.#open = open
    this.#unsent = unsent
  }

  accept(listener: SocketListener, protocol = ''): void {
    if (this.res === null) return
    const bad = findBadHeader([['sec-websocket-protocol', protocol]])
    if (bad !== null) {
      this.fail(bad)
      return
    }
    const key = this.header('sec-websocket-key')
    const socket = new UwsSocket(listener, this.fault, this.#unsent)
    // uWS calls `open` before `upgrade` returns. Extensions are for compression only, which is off (rule 40). Of a
    // protocol with a comma only the part before it would be echoed (rule 20).
    const upgrade = (res: UwsResponse): void => res.upgrade({ socket }, key, protocol, '', this.#context)
    if (this.isLate) this.#upgradeLate(upgrade)
    else this.last(upgrade)
  }

  /**
   * Not within a cork of the response: uWS shrinks it to a socket where it lies, takes that for the response when the cork ends, and
   * closes it if what lies behind it in memory happens to say so. Within the cork of another socket nothing is corked that changes;
   * without another socket uWS says on stderr that it would have liked a cork.
   */
  #upgradeLate(upgrade: (res: UwsResponse) => void): void {
    const { res } = this
    if (res === null) return
    this.settle()
    const [other] = this.#open
    if (other === undefined) upgrade(res)
    else other.cork(() => void res.cork(() => upgrade(res)))
  }

  reject(status: number, headers: HeaderList, body: string): void {
    if (this.res === null) return
    const bad = findBadHeader(headers)
    if (bad !== null) this.fail(bad)
    else if (this.malformed === null) this.last((res) => writeAnswer(res, false, status, headers, body, false, false))
    else {
      const said = this.saidClose
      this.refuse((res) => writeAnswer(res, false, status, headers, body, true, said))
    }
  }

  override detach(): void {
    // The socket outlives the request, and cannot be asked any more (rule 22).
    void this.address
    super.detach()
  }

  /** The handler threw (rule 30). */
  fail(error: unknown): void {
    report(this.fault, error)
    this.reject(500, [], '')
  }
}
