import { type AnyApp, type Client, type ConnectionState, createClient } from '@twinwire/client'
import { toManifest } from '../model/manifest.ts'
import type { Model, Operation } from '../model/model.ts'
import { Activity, type Entry } from './activity.ts'
import { send, type UntypedClient } from './calls.ts'
import { Emitter } from './emitter.ts'
import type { Calling } from './failure.ts'
import { FrameLog } from './frames.ts'
import { Mask } from './mask.ts'
import { recordingFetch, recordingSocket, Traces } from './recording.ts'
import type { TokenSource } from './source.ts'
import { type Claims, readClaims } from './token.ts'
import { TopicList } from './topics.ts'

/** Who is signed in, with the token as it is now. */
export interface User {
  readonly source: TokenSource
  /** Null before the first token, and for one that is not a JSON Web Token. */
  readonly claims: Claims | null
  /** How many tokens there were. */
  readonly tokens: number
  /** The last question for a token failed. */
  readonly error: string | null
}

/** One user of the console: a client with its connection, calls and topics. Another user gets another one of everything but the logs. */
export class Session {
  readonly changed = new Emitter()
  readonly activity: Activity
  readonly frames: FrameLog
  /** Whether a token is replaced before it expires. */
  renewsByItself = true
  readonly #mask = new Mask()
  readonly #traces = new Traces()
  readonly #model: Model
  readonly #root: string
  #client: Client<AnyApp>
  #topics: TopicList
  #user: User | null = null
  /** The user has asked for another token. */
  #isRenewing = false
  #isListening = false

  constructor(model: Model, root: string) {
    this.#model = model
    this.#root = root
    this.activity = new Activity(this.#mask)
    this.frames = new FrameLog(this.#mask)
    ;[this.#client, this.#topics] = this.#open(null)
  }

  get user(): User | null {
    return this.#user
  }

  get state(): ConnectionState {
    return this.#client.state
  }

  get topics(): TopicList {
    return this.#topics
  }

  get roles(): readonly string[] | null {
    return this.#user?.claims?.roles ?? null
  }

  signIn(source: TokenSource): void {
    this.#user = { source, claims: null, tokens: 0, error: null }
    this.#replaceClient(source)
    this.#note('Signed in', source.name)
    if (this.#model.address !== null) this.connect()
    else void this.#token(source, null).catch(() => {})
    this.changed.emit()
  }

  signOut(): void {
    this.#user = null
    this.#replaceClient(null)
    this.#note('Signed out', '')
    this.changed.emit()
  }

  /** Also listens to every event. */
  connect(): void {
    if (!this.#isListening) {
      this.#isListening = true
      for (const { name, pkgId } of this.#model.events)
        this.#client.on(name, (data, { topic, cause }) => {
          const facts = [`event ${pkgId}`, ...(topic === null ? [] : [`topic ${topic}`])]
          const message = cause === null ? '' : `caused by the call ${cause}`
          this.activity.add({ kind: 'event', title: name, state: 'info', facts, message, data })
        })
    }
    this.#client.connect()
  }

  subscribe(topic: string, hasPresence: boolean): void {
    this.connect()
    this.#topics.subscribe(topic, hasPresence)
  }

  disconnect(): void {
    this.#client.close()
  }

  /** Asks for another token now, and sends it over the open connection. */
  renew(): void {
    this.#isRenewing = true
    this.#client.renewToken()
    const source = this.#user?.source
    if (source !== undefined && this.state.status !== 'open') void this.#token(source, null).catch(() => {})
  }

  send(operation: Operation, wire: 'http' | 'ws', input: unknown, signal: AbortSignal): Promise<Entry> {
    if (wire === 'ws') this.connect()
    const opened = this.#client
    const client: UntypedClient = opened
    const [isSignedIn, roles] = [this.#user !== null, this.roles]
    // A token may have come since.
    const calling = (): Calling => ({
      isSignedIn,
      roles: opened === this.#client ? this.roles : roles,
      closeCode: opened.state.closure?.code ?? null,
    })
    return send({ client, activity: this.activity, traces: this.#traces, calling }, operation, wire, input, signal)
  }

  /** The one before tells nothing any more. */
  #replaceClient(source: TokenSource | null): void {
    const before = this.#client
    ;[this.#client, this.#topics] = this.#open(source)
    before.close()
  }

  #open(source: TokenSource | null): [Client<AnyApp>, TopicList] {
    this.#isListening = false
    const client = createClient<AnyApp>({
      url: this.#root,
      manifest: toManifest(this.#model),
      WebSocket: recordingSocket(this.frames, this.#traces),
      fetch: recordingFetch(this.frames, this.#traces),
      ...(source !== null && { getToken: ({ rejected }) => this.#token(source, rejected) }),
    })
    client.onState((state) => {
      if (client === this.#client) this.#report(state)
    })
    const topics = new TopicList(client, this.activity)
    topics.changed.on(() => this.changed.emit())
    return [client, topics]
  }

  async #token(source: TokenSource, rejected: string | null): Promise<string | null> {
    const isOfUser = (): boolean => this.#user?.source === source
    if (rejected !== null && !this.renewsByItself && !this.#isRenewing) return null
    this.#isRenewing = false
    try {
      const token = await source.get(rejected)
      if (token === null || !isOfUser()) return token
      this.#mask.add(token)
      const tokens = (this.#user?.tokens ?? 0) + 1
      this.#user = { source, claims: readClaims(token), tokens, error: null }
      if (tokens > 1 && source.canRenew) this.#note('Token renewed', source.name)
      this.changed.emit()
      return token
    } catch (error) {
      if (isOfUser() && this.#user !== null) {
        this.#user = { ...this.#user, error: error instanceof Error ? error.message : String(error) }
        this.#note('No token', this.#user.error ?? '')
        this.changed.emit()
      }
      throw error
    }
  }

  #report({ status, closure, identity }: ConnectionState): void {
    const ended = closure === null ? '' : `${closure.code} ${closure.reason}`.trim()
    if (status === 'open') this.#note('Connected', identity === null ? 'without an identity' : `as ${identity}`)
    if (status === 'waiting') this.#note('Connection lost', `${ended}; another attempt follows`)
    if (status === 'closed') this.#note('Disconnected', ended)
    this.changed.emit()
  }

  #note(title: string, message: string): void {
    this.activity.add({ kind: 'note', title, state: 'info', facts: [], message, data: undefined })
  }
}
