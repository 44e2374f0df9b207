import { findBadHeader } from './answer-rules.ts'
import type { HeaderList, SocketListener, TransportHandlers, UpgradeRequest } from './transport.ts'
import type { Unsent } from './unsent.ts'
import { type AnswerHead, writeAnswer } from './uws-answer.ts'
import { UwsSocket } from './uws-connection.ts'
import { type Fault, reportFault, UwsHead } from './uws-head.ts'
import type { UwsPublications } from './uws-publications.ts'
import type { SpareResponse } from './uws-spare.ts'
import type { UwsRequest, UwsResponse, UwsUpgradeContext } from './uws-types.ts'

/** Serves one upgrade. */
export function serveUpgrade(
  handlers: TransportHandlers,
  res: UwsResponse,
  req: UwsRequest,
  context: UwsUpgradeContext,
  secure: boolean,
  unsent: Unsent,
  publications: UwsPublications,
  spare: SpareResponse | null,
): void {
  const upgrade = new UwsUpgrade(res, req, context, handlers.fault, secure, unsent, publications, spare)
  try {
    handlers.upgrade(upgrade)
  } catch (error) {
    upgrade.fail(error)
  } finally {
    upgrade.detach()
  }
}

/** An upgrade that may be answered late: uws-rules.md#upgrades. */
class UwsUpgrade extends UwsHead implements UpgradeRequest {
  readonly #context: UwsUpgradeContext
  readonly #unsent: Unsent
  readonly #publications: UwsPublications
  readonly #spare: SpareResponse | null

  constructor(
    res: UwsResponse,
    req: UwsRequest,
    context: UwsUpgradeContext,
    fault: Fault,
    secure: boolean,
    unsent: Unsent,
    publications: UwsPublications,
    spare: SpareResponse | null,
  ) {
    super('GET', res, req, fault, secure)
    this.#context = context
    this.#unsent = unsent
    this.#publications = publications
    this.#spare = spare
  }

  accept(listener: SocketListener, protocol = ''): void {
    if (this.res === null) return
    const bad = findBadHeader([['sec-websocket-protocol', protocol]])
    if (bad !== null) {
      this.fail(bad)
      return
    }
    const key = this.header('sec-websocket-key')
    const socket = new UwsSocket(listener, this.fault, this.#unsent, this.#publications)
    // The only extension is compression.
    const extensions =
      this.#publications.compressFrom < Number.POSITIVE_INFINITY ? this.header('sec-websocket-extensions') : ''
    // uWS calls `open` before `upgrade` returns. Of a protocol with a comma only the part before it is sent.
    const upgrade = (res: UwsResponse): void => res.upgrade({ socket }, key, protocol, extensions, this.#context)
    if (this.isCorked) this.last(upgrade)
    else this.#upgradeLate(upgrade)
  }

  /**
   * Not within the cork of the response: uWS turns it into a socket in place, and would treat that as the response when the cork ends
   * (uWebSockets#1929).
   */
  #upgradeLate(upgrade: (res: UwsResponse) => void): void {
    const { res } = this
    if (res === null) return
    this.settle()
    if (this.#spare === null) upgrade(res)
    else this.#spare.cork(() => upgrade(res))
  }

  reject(status: number, headers: HeaderList, body: string): void {
    if (this.res === null) return
    const bad = findBadHeader(headers)
    if (bad !== null) this.fail(bad)
    else this.#answer({ status, prepared: null, value: '', headers }, body)
  }

  #answer(head: AnswerHead, body: string): void {
    if (this.malformed === null) return this.last((res) => writeAnswer(res, false, head, body, false, false))
    const said = this.saidClose
    this.refuse((res) => writeAnswer(res, false, head, body, true, said))
  }

  override detach(): void {
    // The address cannot be read after the upgrade.
    void this.address
    super.detach()
  }

  /** The handler threw. */
  fail(error: unknown): void {
    reportFault(this.fault, error)
    this.reject(500, [], '')
  }
}
