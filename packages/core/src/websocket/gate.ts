import type { Timer } from '../base/clock.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { AppError } from '../errors/app-error.ts'
import { Disconnect, type DisconnectRow, disconnects } from '../errors/disconnect.ts'
import type { ControlHandler, ControlResult } from '../plugin/host.ts'
import type { WebSocketConnection } from './connection.ts'
import { dispatch } from './dispatch.ts'
import { readHandshake } from './handshake-frame.ts'
import { authorizeAgain } from './topics.ts'
import type { ConnectionStatus } from './websocket-instruments.ts'

/** Bytes of frames that may wait behind the gate; how many frames is `maxInFlight`. */
const maxHeldBytes = 256 * 1024
/** How long a control handler, or the `onConnect` hooks, may take; then 1011. */
const handlerTimeoutMs = 10_000

/**
 * Stands between a socket and its calls. It is shut until the handshake has succeeded and `onConnect` let the connection in, and
 * again while a control frame is handled: frames that arrive meanwhile are held in order, none is lost, too many end the
 * connection.
 */
export class Gate {
  readonly #connection: WebSocketConnection
  #admission: ControlResult | null
  #state: 'first frame' | 'busy' | 'open' | 'closed' = 'busy'
  #passed = false
  /** How the attempt to connect ended has been counted. */
  #counted = false
  #timer: Timer | null = null
  #held: { readonly data: ArrayBuffer; readonly binary: boolean }[] = []
  #heldBytes = 0

  constructor(connection: WebSocketConnection, admission: ControlResult | null) {
    this.#connection = connection
    this.#admission = admission
  }

  /** Has the connection ever been let in? */
  get passed(): boolean {
    return this.#passed
  }
  get shut(): boolean {
    return this.#state !== 'open'
  }

  /** Do packages of an admitted connection wait behind a control frame? */
  get holding(): boolean {
    return this.#passed && this.#held.length > 0
  }

  /** The socket is open. */
  open(): void {
    const { handshake, services } = this.#connection.shared
    if (this.#admission !== null || handshake === null) {
      this.#admit(this.#admission ?? {})
      return
    }
    this.#state = 'first frame'
    this.#timer = services.clock.timer(handshake.timeoutMs, () => {
      this.#refuse(disconnects.authenticationTimeout, 'rejected_auth_timeout')
    })
  }

  /** A frame while the gate is shut. `data` is dead when this returns. */
  hold(data: ArrayBuffer, binary: boolean): void {
    if (this.#state === 'first frame') return this.#firstFrame(data, binary)
    if (this.#state === 'closed') return
    const { maxInFlight } = this.#connection.shared.options
    this.#heldBytes += data.byteLength
    if (this.#held.length >= maxInFlight || this.#heldBytes > maxHeldBytes) {
      this.#refuse(disconnects.tooManyHeldFrames, 'rejected_other')
      return
    }
    this.#held.push({ data: data.slice(0), binary })
  }

  /** A control frame on an open connection: what comes behind it waits for its result. */
  runControl(handle: ControlHandler, fields: Readonly<Record<string, unknown>>): void {
    this.#state = 'busy'
    const isRenewal = handle === this.#connection.shared.handshake?.handle
    this.#run(
      () => handle(fields, this.#connection),
      (result) => this.#applied(result, isRenewal),
    )
  }

  /** The app closes and the control frame has not ended: every package behind it is answered, as any is that comes now. */
  giveUp(): void {
    if (!this.#passed) return
    for (const { data, binary } of this.#held.splice(0)) {
      const frame = this.#connection.codec.decode(data, binary)
      if (frame.kind !== 'control') dispatch(this.#connection, frame)
    }
  }

  /** The socket is gone. */
  close(): void {
    this.#state = 'closed'
    // Nobody was refused: the client left before it was let in, or the app closes.
    this.#count('rejected_other')
    this.#timer?.cancel()
    this.#held = []
    this.#connection.shared.services.onWorkEnd?.()
  }

  #firstFrame(data: ArrayBuffer, binary: boolean): void {
    this.#state = 'busy'
    this.#timer?.cancel()
    const { handshake, options } = this.#connection.shared
    const fields =
      handshake === null || data.byteLength > options.maxMessageBytes
        ? null
        : readHandshake(data, binary, handshake.type)
    if (handshake === null || fields === null) return this.#refuse(disconnects.unauthorized, 'rejected_auth')
    this.#run(
      () => handshake.handle(fields, this.#connection),
      (result) => this.#admit(result),
    )
  }

  #admit(result: ControlResult): void {
    this.#connection.identity = result.identity ?? null
    const { onConnect } = this.#connection.shared
    this.#run(
      () => runHooks(onConnect, this.#connection),
      () => this.#letIn(result),
    )
  }

  #letIn(result: ControlResult): void {
    const connection = this.#connection
    this.#passed = true
    this.#admission = null
    this.#count('accepted')
    connection.shared.hub.add(connection)
    this.#answer(result)
    this.#release()
  }

  #answer({ reply }: ControlResult): void {
    if (reply === undefined) return
    this.#connection.sendControl(typeof reply === 'function' ? reply(this.#connection) : reply)
  }

  #applied(result: ControlResult, isRenewal: boolean): MaybePromise<void> {
    const connection = this.#connection
    const finish = (): void => {
      this.#answer(result)
      this.#release()
    }
    if (result.identity === undefined) return finish()
    const before = connection.identity?.id ?? null
    // What this connection has joined and is limited by belongs to one subject.
    if (isRenewal && before !== null && before !== result.identity.id)
      return this.#refuse(disconnects.unauthorized, 'rejected_auth')
    connection.identity = result.identity
    connection.shared.hub.moveIdentity(connection, before, result.identity.id)
    const again = authorizeAgain(connection)
    return again === undefined ? finish() : again.then(finish)
  }

  /** What was held runs in order; a control frame among it shuts the gate again for what is behind it. */
  #release(): void {
    this.#state = 'open'
    while (this.#held.length > 0 && this.#state === 'open' && this.#connection.live) {
      const frame = this.#held.shift()
      if (frame === undefined) break
      this.#heldBytes -= frame.data.byteLength
      this.#connection.receive(frame.data, frame.binary)
    }
    this.#connection.shared.services.onWorkEnd?.()
  }

  #run<T>(work: () => MaybePromise<T>, done: (value: T) => MaybePromise<void>): void {
    const finish = (value: T): MaybePromise<void> => (this.#connection.live ? done(value) : undefined)
    try {
      const result = work()
      const outcome = isPromise(result) ? (result as Promise<T>).then(finish) : finish(result)
      if (isPromise(outcome)) this.#await(outcome)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** An issuer that never answers must not keep a socket, and what it has sent, for ever. */
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
    if (!this.#connection.live) return
    if (Disconnect.is(error)) return this.#refuse(error, statusOf(error))
    if (AppError.is(error) && error.httpStatus < 500) return this.#refuse(disconnects.unauthorized, 'rejected_auth')
    this.#connection.shared.services.log.error({ err: error }, 'A handshake or control handler failed')
    this.#refuse(disconnects.internalError, 'rejected_other')
  }

  #refuse(row: Pick<DisconnectRow, 'code' | 'reason'>, status: ConnectionStatus): void {
    if (!this.#connection.live) return
    this.#count(status)
    this.#connection.close(row)
  }

  /** Each attempt to connect, once. */
  #count(status: ConnectionStatus): void {
    if (this.#counted) return
    this.#counted = true
    this.#connection.shared.instruments.connection(status)
  }
}

/** The ends that are for who it is, or is not any more. */
const identityCodes: ReadonlySet<number> = new Set(
  [disconnects.unauthorized, disconnects.tokenExpired, disconnects.sessionRevoked].map(({ code }) => code),
)

function statusOf({ code, reason }: Pick<DisconnectRow, 'code' | 'reason'>): ConnectionStatus {
  if (identityCodes.has(code)) return 'rejected_auth'
  return reason === disconnects.tooManyConnections.reason ? 'rejected_limit' : 'rejected_other'
}

type ConnectHooks = WebSocketConnection['shared']['onConnect']

/** One after the other, and none for a connection that has ended meanwhile: nobody would tell that hook of the end. */
function runHooks(hooks: ConnectHooks, connection: WebSocketConnection, from = 0): MaybePromise<void> {
  for (let i = from; i < hooks.length && connection.live; i++) {
    const result = hooks[i]?.(connection)
    if (isPromise(result)) return result.then(() => runHooks(hooks, connection, i + 1))
  }
}
