import type { MaybePromise } from '../base/maybe-promise.ts'
import type { Identity } from '../call/identity.ts'
import type { Connection } from '../hub/connection.ts'
import type { IncomingRequest } from './incoming-request.ts'

/** A text frame that the server sends: `{"type": "<type>", …}`. */
export interface ControlReply {
  readonly type: string
  readonly [key: string]: unknown
}

/** Result of a control frame. */
export interface ControlResult {
  /** The new identity of the connection; joined topics are authorized again. Default: no change. */
  readonly identity?: Identity
  /**
   * Sent as JSON text; in the handshake after `onConnect` has succeeded. A function is called at that time: when the credentials of an
   * upgrade are checked, there is no connection yet.
   */
  readonly reply?: ControlReply | ((connection: Connection) => ControlReply)
}

/**
 * Handles text frames `{"type": "<type>", …}`. A thrown Disconnect closes the connection with its code, a thrown AppError with 4001.
 * Any other error is logged and closes it with 1011. Packages that arrive after the frame are held until it is handled.
 */
export type ControlHandler = (
  frame: Readonly<Record<string, unknown>>,
  connection: Connection,
) => MaybePromise<ControlResult>

/**
 * Makes a control frame the handshake: no connection is admitted before it. When it is sent again it renews the identity; a result with
 * another identity id closes the connection with 4001.
 */
export interface HandshakeOptions {
  /** Time limit for the first frame, in milliseconds; then the connection is closed with 4002. Default 5000. */
  readonly timeoutMs?: number
  /**
   * Checks credentials in the upgrade request. A result admits the connection without a first frame, null waits for one, a thrown
   * AppError rejects the upgrade with an HTTP response.
   */
  readonly fromUpgrade?: (request: IncomingRequest) => MaybePromise<ControlResult | null>
  /**
   * Headers of the upgrade that carry credentials, in lower case: `['authorization']`. Once it is accepted they are dropped: they are not among
   * the `headers` of the connection and its calls, nor in the memory of the process. Neither are those of a request for server-sent events among
   * the `headers` of its connection. Default: none.
   */
  readonly credentialHeaders?: readonly string[]
  /** Cookies that carry credentials, by name. They are dropped like `credentialHeaders`, and the others are kept. Default: none. */
  readonly credentialCookies?: readonly string[]
}

/** The control frame that is the handshake, as registered. */
export interface Handshake {
  readonly type: string
  readonly handle: ControlHandler
  readonly timeoutMs: number
  readonly fromUpgrade: HandshakeOptions['fromUpgrade']
  readonly credentials: CredentialNames
}

/** What carries credentials, and is not kept. */
export interface CredentialNames {
  readonly headers: readonly string[]
  readonly cookies: readonly string[]
}
