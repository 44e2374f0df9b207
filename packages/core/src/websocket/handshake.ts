import type { Timer } from '../base/clock.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { AppError } from '../errors/app-error.ts'
import { Disconnect, disconnects } from '../errors/disconnect.ts'
import type { ControlHandler, ControlResult } from '../plugin/control-frames.ts'
import type { ConnectionStatus } from './websocket-instruments.ts'
import type { CloseRow, WebSocketWire, WireConnection } from './wire.ts'

/** Max total size of held frames. Their number is limited by `maxInFlight`. */
export const maxHeldBytes: number = 256 * 1024
/** Time limit of a control handler, and of the `onConnect` hooks; then the connection is closed with 1011. */
const handlerTimeoutMs = 10_000

/**
 * The handshake of one connection. Frames are held until the handshake has succeeded and all `onConnect` hooks have run, and again while
 * a control frame is handled. They are handled in order then; too many of them end the connection.
 */
export class ConnectionHandshake {
  readonly #connection: WireConnection
  #admission: ControlResult | null
  #state: 'awaiting-first-frame' | 'busy' | 'idle' | 'ended' = 'busy'
  /** The result of the connection attempt has been counted. */
  #counted: boolean
  #timer: Timer | null = null
  /** Null until a frame is held. */
  #held: { readonly data: ArrayBuffer; readonly binary: boolean }[] | null = null
  #heldBytes = 0

  constructor(connection: WireConnection, admission: ControlResult | null) {
    this.#connection = connection
    this.#admission = admission
    // One that was admitted is counted.
    this.#counted = connection.wasAdmitted
  }

  /** The next frame must go to `hold`. */
  get holdsFrames(): boolean {
    return this.#state !== 'idle'
  }

  /** Frames of an admitted connection wait for a control frame to be handled. */
  get hasHeldFrames(): boolean {
    return this.#connection.wasAdmitted && this.#held !== null && this.#held.length > 0
  }

  /** The socket is open. */
  start(): void {
    const { handshake, services } = this.#connection.shared
    if (this.#admission !== null || handshake === null) {
      this.#connect(this.#admission ?? {})
      return
    }
    this.#state = 'awaiting-first-frame'
    this.#timer = services.clock.timer(handshake.timeoutMs, () => {
      this.#refuse(disconnects.authenticationTimeout, 'rejected_auth_timeout')
    })
  }

  /** Receives a frame while `holdsFrames`. `data` must not be read after this returns. */
  hold(data: ArrayBuffer, binary: boolean): void {
    if (this.#state === 'awaiting-first-frame') return this.#firstFrame(data, binary)
    if (this.#state === 'ended') return
    const { maxInFlight } = this.#connection.shared.options
    this.#heldBytes += data.byteLength
    this.#held ??= []
    if (this.#held.length >= maxInFlight || this.#heldBytes > maxHeldBytes) {
      this.#refuse(disconnects.tooManyHeldFrames, 'rejected_other')
      return
    }
    this.#held.push({ data: data.slice(0), binary })
  }

  /** Handles a control frame of an admitted connection. Later frames are held until it is done. */
  runControl(handle: ControlHandler, fields: Readonly<Record<string, unknown>>): void {
    this.#state = 'busy'
    const isRenewal = handle === this.#connection.shared.handshake?.handle
    this.#run(
      () => handle(fields, this.#connection),
      (result) => this.#apply(result, isRenewal),
    )
  }

  /** The app closes before the control frame is handled: held packages are answered like those that arrive now. */
  answerHeldFrames(): void {
    if (!this.#connection.wasAdmitted || this.#held === null) return
    for (const { data, binary } of this.#held.splice(0)) {
      const frame = this.#connection.codec.decode(data, binary)
      if (frame.kind !== 'control') this.#connection.dispatch(frame)
    }
  }

  /** The socket has closed. */
  end(): void {
    this.#state = 'ended'
    // Counted only if it was not admitted or refused before: the client disconnected, or the app closes.
    this.#count('rejected_other')
    this.#timer?.cancel()
    this.#held = null
  }

  #firstFrame(data: ArrayBuffer, binary: boolean): void {
    this.#state = 'busy'
    this.#timer?.cancel()
    const { handshake, options } = this.#connection.shared
    const fields =
      handshake === null || binary || data.byteLength > options.maxMessageBytes
        ? null
        : parseControlFrame(data, handshake.type)
    if (handshake === null || fields === null) return this.#refuse(disconnects.unauthorized, 'rejected_auth')
    this.#run(
      () => handshake.handle(fields, this.#connection),
      (result) => this.#connect(result),
    )
  }

  #connect(result: ControlResult): void {
    this.#connection.identity = result.identity ?? null
    const { onConnect } = this.#connection.shared
    this.#run(
      () => runHooks(onConnect, this.#connection),
      () => this.#admit(result),
    )
  }

  #admit(result: ControlResult): void {
    const connection = this.#connection
    connection.wasAdmitted = true
    this.#admission = null
    this.#count('accepted')
    connection.shared.hub.add(connection)
    this.#reply(result)
    this.#release()
  }

  #reply({ reply }: ControlResult): void {
    if (reply === undefined) return
    this.#connection.sendControl(typeof reply === 'function' ? reply(this.#connection) : reply)
  }

  #apply(result: ControlResult, isRenewal: boolean): MaybePromise<void> {
    const connection = this.#connection
    const finish = (): void => {
      if (result.identity !== undefined) connection.shared.hub.presences.renewed(connection)
      this.#reply(result)
      this.#release()
    }
    if (result.identity === undefined) return finish()
    const before = connection.identity?.id ?? null
    // Joined topics and limits of this connection belong to one subject.
    if (isRenewal && before !== null && before !== result.identity.id)
      return this.#refuse(disconnects.unauthorized, 'rejected_auth')
    connection.identity = result.identity
    connection.shared.hub.moveIdentity(connection, before, result.identity.id)
    const pending = connection.shared.joins.reauthorize(connection)
    return pending === undefined ? finish() : pending.then(finish)
  }

  /** Handles the held frames in order, until one of them is a control frame that has to be awaited. */
  #release(): void {
    this.#state = 'idle'
    while (this.#held !== null && this.#held.length > 0 && this.#state === 'idle' && this.#connection.isOpen) {
      const frame = this.#held.shift()
      if (frame === undefined) break
      this.#heldBytes -= frame.data.byteLength
      this.#connection.receive(frame.data, frame.binary)
    }
    // Nothing is held or awaited: this object has done its work.
    if (this.#state === 'idle') this.#connection.handshakeDone()
    this.#connection.shared.services.onWorkEnd?.()
  }

  #run<T>(work: () => MaybePromise<T>, done: (value: T) => MaybePromise<void>): void {
    const finish = (value: T): MaybePromise<void> => (this.#connection.isOpen ? done(value) : undefined)
    try {
      const result = work()
      const outcome = isPromise(result) ? (result as Promise<T>).then(finish) : finish(result)
      if (isPromise(outcome)) this.#await(outcome)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** A handler that never finishes must not keep a socket and its held frames forever. */
  #await(outcome: Promise<void>): void {
    const timer = this.#connection.shared.services.clock.timer(handlerTimeoutMs, () => {
      this.#failed(new Error(`A handshake or control handler took more than ${handlerTimeoutMs} ms`))
    })
    outcome.then(
      () => timer.cancel(),
      (error) => {
        timer.cancel()
        this.#failed(error)
      },
    )
  }

  #failed(error: unknown): void {
    if (!this.#connection.isOpen) return
    if (Disconnect.is(error)) return this.#refuse(error, statusOf(error))
    if (AppError.is(error) && error.httpStatus < 500) return this.#refuse(disconnects.unauthorized, 'rejected_auth')
    this.#connection.shared.services.log.error({ err: error }, 'A handshake or control handler failed')
    this.#refuse(disconnects.internalError, 'rejected_other')
  }

  #refuse(row: CloseRow, status: ConnectionStatus): void {
    if (!this.#connection.isOpen) return
    this.#count(status)
    const { id, address, shared, wasAdmitted } = this.#connection
    const { code, reason } = row
    this.#connection.close(row)
    if (!wasAdmitted)
      shared.services.access?.refused(
        { connection_id: id, address, close_code: code, reason },
        code === disconnects.internalError.code,
      )
  }

  /** Each connection attempt is counted once. */
  #count(status: ConnectionStatus): void {
    if (this.#counted) return
    this.#counted = true
    this.#connection.shared.instruments.connection(status)
  }
}

/** The fields of a text frame `{"type": "<type>", …}`; null for anything else. Its handler checks the fields. */
function parseControlFrame(data: ArrayBuffer, type: string): Readonly<Record<string, unknown>> | null {
  let frame: unknown
  try {
    frame = JSON.parse(Buffer.from(data).toString())
  } catch {
    return null
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return null
  // An object from JSON.parse has only string keys.
  const fields = frame as Record<string, unknown>
  return fields.type === type ? fields : null
}

/** Closes because of who the client is, or no longer is. */
const identityCodes: ReadonlySet<number> = new Set(
  [disconnects.unauthorized, disconnects.tokenExpired, disconnects.sessionRevoked].map(({ code }) => code),
)

function statusOf({ code, reason }: CloseRow): ConnectionStatus {
  if (identityCodes.has(code)) return 'rejected_auth'
  return reason === disconnects.tooManyConnections.reason ? 'rejected_limit' : 'rejected_other'
}

/** One after the other. Stops when the connection has closed: `onDisconnect` has run already then. */
function runHooks(hooks: WebSocketWire['onConnect'], connection: WireConnection, from = 0): MaybePromise<void> {
  for (let i = from; i < hooks.length && connection.isOpen; i++) {
    const result = hooks[i]?.(connection)
    if (isPromise(result)) return result.then(() => runHooks(hooks, connection, i + 1))
  }
}
