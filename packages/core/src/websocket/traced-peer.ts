import type { CallPeer } from '../call/call-context.ts'
import { ForwardedPeer } from '../call/forwarded-peer.ts'
import { toTraceparent } from '../call/traceparent.ts'
import type { RequestFrame } from '../protocol/frame.ts'

/** The connection of a call whose package names a trace of its own. A field of every call would cost the others 8 bytes. */
class TracedPeer extends ForwardedPeer {
  readonly #traceparent: string

  constructor(connection: CallPeer, traceparent: string) {
    super(connection)
    this.#traceparent = traceparent
  }

  override get traceparent(): string {
    return this.#traceparent
  }
}

/** The connection itself for a package without a valid `traceparent`: its calls belong to the trace that opened it. */
export function toPeer(connection: CallPeer, { traceparent = '' }: RequestFrame): CallPeer {
  const own = toTraceparent(traceparent)
  return own === null ? connection : new TracedPeer(connection, own)
}
