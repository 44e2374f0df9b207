import { type Fields, textOf } from './call-error.ts'
import type { ClientCodec, ServerPackage } from './codec.ts'
import { type ClientSocket, findWebSocket, onWake, type WebSocketConstructor } from './environment.ts'
import type { Manifest } from './manifest.ts'
import { backoffDelay, type Closure, reconnectHint } from './reconnect.ts'
import { Session } from './session.ts'
import { subjectOf, type Tokens } from './tokens.ts'

/** A snapshot: another object for each change. */
export interface ConnectionState {
  /** `waiting`: for the next attempt. `closed`: it does not connect again by itself. */
  readonly status: 'idle' | 'connecting' | 'open' | 'waiting' | 'closed'
  /** The id that the server has named for the token; null without one. */
  readonly identity: string | null
  /** Attempts since the last connection that lasted. */
  readonly attempt: number
  /** `waiting`: when the next attempt is, in milliseconds since 1970. */
  readonly retryAt: number | null
  /** How the last connection ended, or why there is none. */
  readonly closure: (Closure & { readonly cause?: unknown }) | null
}

export interface ConnectionOptions {
  readonly url: string
  readonly WebSocket?: WebSocketConstructor
  readonly codec: ClientCodec
  readonly tokens: Tokens
  /** Wait for `auth_ok` also where no token is sent. */
  readonly awaitAuth?: boolean
  readonly closes: Manifest['closes']
  readonly connectTimeoutMs: number
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
  readonly reconnect: { readonly minMs: number; readonly maxMs: number }
  readonly onOpen: (session: Session) => void
  readonly onEvent: (event: ServerPackage) => void
  readonly onControl: (frame: Fields) => void
  readonly onLost: () => void
  readonly onState: (state: ConnectionState) => void
}

const initial: ConnectionState = { status: 'idle', identity: null, attempt: 0, retryAt: null, closure: null }

/** A connection that lasts this long was a good one: the next delays are short again. */
const stableMs = 5_000
/** Tokens that may be rejected one after the other. */
const maxRejectedTokens = 3
/** What a limit of the server adds to a delay. */
const laterMs = 5_000
/** How long a close may follow an error: its code says more. Some errors have none. */
const closeAfterErrorMs = 100
/** Milliseconds over which clients come back after a restart of the server that did not say more. */
const defaultWindow: readonly number[] = [0, 20_000]

/** Keeps one WebSocket open: attempts, handshake, renewal, pings, reconnects. It does not depend on calls. */
export class Connection {
  readonly #options: ConnectionOptions
  state: ConnectionState = initial
  /** Another one for each attempt: what an earlier socket reports is ignored. */
  #generation = 0
  #socket: ClientSocket | null = null
  #session: Session | null = null
  #openedAt = 0
  /** The token that was sent last. */
  #token: string | null = null
  /** How many tokens the server has rejected since the last connection, and the last one of them. */
  #rejected = 0
  #rejectedToken: string | null = null
  /** Set by the `closing` frame. */
  #window: readonly number[] | null = null
  /** Of the attempt, the delay before the next one, or the next ping. */
  #timer: ReturnType<typeof setTimeout> | undefined
  #receivedAt = 0
  /** The next attempt need not wait for its time. */
  #mayHurry = false
  #stopWaking: (() => void) | undefined
  /** The longest frame that the server takes, if it has said so. */
  maxMessageBytes: number | null = null

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /** Open, and the server has not said that it closes. */
  get takesCalls(): boolean {
    return this.state.status === 'open' && this.#window === null
  }

  /** Connects unless it does already, also after it was closed. */
  connect(): void {
    const { status } = this.state
    if (status !== 'idle' && status !== 'closed') return
    this.#rejected = 0
    this.#stopWaking ??= onWake(() => this.#wake())
    this.state = initial
    this.#attempt()
  }

  /** Ends the connection: no attempt follows. */
  close(closure: ConnectionState['closure'] = { code: 1000, reason: '' }): void {
    if (this.state.status === 'closed') return
    this.#stopWaking?.()
    this.#stopWaking = undefined
    this.#end({ status: 'closed', retryAt: null, closure })
  }

  /** As new. */
  reset(): void {
    this.close()
    this.#token = null
    this.#set(initial)
  }

  /** Sends a new token. That of another user needs another connection. */
  renew(): void {
    const generation = this.#generation
    this.#options.tokens.get(this.#token).then(
      (token) => {
        if (generation !== this.#generation || token === null || token === this.#token) return
        if (subjectOf(token) === subjectOf(this.#token)) this.#authenticate(token)
        else this.#changeUser()
      },
      // The server ends the connection when the old one expires; the next attempt asks again.
      () => {},
    )
  }

  #attempt(): void {
    const { tokens, connectTimeoutMs } = this.#options
    const generation = ++this.#generation
    this.#later(connectTimeoutMs, () => {
      // A question without an answer must not hold up the next attempt.
      if (this.#socket === null) tokens.forget()
      this.#lose({ code: 1006, reason: 'Not open in time' })
    })
    this.#set({ status: 'connecting', retryAt: null })
    const rejected = this.#rejected > 0 ? this.#rejectedToken : undefined
    tokens.get(rejected).then(
      (token) => {
        if (generation !== this.#generation) return
        if (rejected !== undefined && (token === null || token === rejected)) this.close(this.state.closure)
        else this.#open(token, generation)
      },
      (cause: unknown) => {
        if (generation === this.#generation) this.#lose({ code: 1006, reason: 'getToken() failed', cause })
      },
    )
  }

  #open(token: string | null, generation: number): void {
    const { url, WebSocket, codec, onEvent, awaitAuth } = this.#options
    let socket: ClientSocket
    try {
      socket = new (findWebSocket(WebSocket))(url)
    } catch (cause) {
      // A URL that is invalid, or no WebSocket at all: another attempt would not help.
      return this.close({ code: 1006, reason: String(cause), cause })
    }
    const onControl = (frame: Fields): void => this.#control(frame)
    const session = new Session({ codec, send: (frame) => socket.send(frame), onEvent, onControl })
    this.#socket = socket
    this.#session = session
    this.#token = token
    socket.binaryType = 'arraybuffer'
    const listen: ClientSocket['addEventListener'] = (type, listener) =>
      socket.addEventListener(type, (event) => generation === this.#generation && listener(event))
    listen('open', () => {
      if (token !== null) this.#authenticate(token)
      else if (!awaitAuth) this.#admit(null)
    })
    listen('message', ({ data }) => {
      const isAnswer = this.#receivedAt === 0
      this.#receivedAt = Date.now()
      if (isAnswer) this.#pingLater()
      try {
        session.receive(data)
      } catch (cause) {
        this.#lose({ code: 1002, reason: 'Malformed frame', cause })
      }
    })
    listen('close', ({ code = 1006, reason = '' }) => this.#lose({ code, reason }))
    listen('error', () => this.#later(closeAfterErrorMs, () => this.#lose({ code: 1006, reason: '' })))
  }

  #authenticate(token: string): void {
    this.#token = token
    this.#session?.tell({ type: 'auth', token: `Bearer ${token}` })
  }

  #admit(identity: string | null): void {
    this.#openedAt = Date.now()
    this.#receivedAt = this.#openedAt
    this.#rejected = 0
    this.#pingLater()
    this.#set({ status: 'open', identity, closure: null })
    if (this.#session !== null) this.#options.onOpen(this.#session)
  }

  /** After a silence it pings, and waits for any frame: a connection may look open, and not be. */
  #pingLater(): void {
    const leftMs = this.#receivedAt + this.#options.pingIntervalMs - Date.now()
    if (leftMs > 0) this.#later(leftMs, () => this.#pingLater())
    else this.#ping()
  }

  #ping(): void {
    this.#receivedAt = 0
    this.#session?.tell({ type: 'ping', id: 0 })
    this.#later(this.#options.pingTimeoutMs, () => this.#lose({ code: 1006, reason: 'No answer' }))
  }

  #control(frame: Fields): void {
    const { type, identity, max_message_bytes: max, reconnect_after_ms: after } = frame
    if (type === 'auth_ok') {
      if (typeof max === 'number') this.maxMessageBytes = max
      const id = textOf(identity)
      if (this.state.status !== 'open') this.#admit(id)
      else if (id !== this.state.identity) {
        // Another connection would be told the same.
        if (this.#token === null) this.close({ code: 1000, reason: 'createClient() needs `awaitAuth`' })
        else this.#changeUser()
      }
    } else if (type === 'auth_expiring') this.renew()
    else if (type === 'closing') this.#window = Array.isArray(after) ? after.map(Number) : defaultWindow
    else this.#options.onControl(frame)
  }

  /** With the token that there is now. */
  #changeUser(): void {
    this.#lose({ code: 1000, reason: 'Another user' }, 'now')
  }

  /** The connection, or the attempt, has failed: another one follows if its code allows it. */
  #lose(
    closure: Closure & { readonly cause?: unknown },
    hint: string = reconnectHint(closure, this.#options.closes),
  ): void {
    const { reconnect, tokens } = this.#options
    const isRejected = hint === 'with a new token'
    if (isRejected) {
      this.#rejected += 1
      this.#rejectedToken = this.#token
    }
    const needsLogin = hint === 'with a new login'
    if (needsLogin) tokens.forget()
    if (needsLogin || hint === 'no' || (isRejected && (this.#rejected > maxRejectedTokens || !tokens.has)))
      return this.close(closure)
    const { status, attempt } = this.state
    const wasStable = status === 'open' && Date.now() - this.#openedAt >= stableMs
    const next = wasStable ? 0 : attempt + 1
    // The close frame that follows `closing` may be lost.
    const [from = 0, to = 0] = this.#window ?? (hint === 'jittered' ? defaultWindow : [])
    let delayMs = to > 0 ? from + Math.random() * (to - from) : backoffDelay(reconnect, next)
    if (hint === 'later') delayMs += laterMs
    // An expired token is not a failure, and the user waits.
    if (hint === 'now' || (isRejected && this.#rejected === 1)) delayMs = 0
    this.#mayHurry = hint === 'yes' && to === 0
    this.#end({ status: 'waiting', attempt: next, retryAt: Date.now() + delayMs, closure })
    // A listener of the state may have closed it.
    if (this.state.status === 'waiting') this.#later(delayMs, () => this.#attempt())
  }

  /** Forgets the socket. */
  #end(state: Partial<ConnectionState>): void {
    const socket = this.#socket
    const session = this.#session
    this.#generation += 1
    clearTimeout(this.#timer)
    this.#socket = null
    this.#session = null
    this.#window = null
    this.#set(state)
    try {
      // One that is half-open would stay for minutes.
      socket?.close(1000)
    } catch {
      // It was not open yet: the environment ends it.
    }
    session?.end()
    this.#options.onLost()
  }

  /** The page or the network is back: what waits need not wait on, and what seems open may not be. */
  #wake(): void {
    const { status } = this.state
    if (status === 'open' && this.#receivedAt > 0) this.#ping()
    if (status === 'waiting' && this.#mayHurry) this.#attempt()
  }

  #later(ms: number, run: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(run, ms)
  }

  #set(change: Partial<ConnectionState>): void {
    this.state = { ...this.state, ...change }
    this.#options.onState(this.state)
  }
}
