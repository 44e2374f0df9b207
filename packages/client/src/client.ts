import { CallError, fieldsOf, identityChanged, timeout } from './call-error.ts'
import type {
  AnyApp,
  CallOptions,
  Client,
  ClientOptions,
  Member,
  SubscribeOptions,
  Subscription,
} from './client-types.ts'
import { jsonCodec } from './codec.ts'
import { Connection, type ConnectionState } from './connection.ts'
import { findOrigin } from './environment.ts'
import { Events } from './events.ts'
import { HttpWire } from './http.ts'
import { toJson } from './json.ts'
import { known, type Manifest, type PkgIds, toManifest } from './manifest.ts'
import type { Session } from './session.ts'
import { SocketWire } from './socket-wire.ts'
import { type EventMeta, Subscriptions } from './subscriptions.ts'
import { Tokens } from './tokens.ts'
import { isMember, type Run } from './topic.ts'
import { uniqueId } from './unique-id.ts'
import type { WireCall } from './wire-call.ts'

const defaults = {
  timeoutMs: 30_000,
  maxInFlight: 32,
  maxQueued: 1_000,
  connectTimeoutMs: 10_000,
  pingIntervalMs: 25_000,
  pingTimeoutMs: 10_000,
  reconnect: { minMs: 500, maxMs: 20_000 },
  codec: jsonCodec,
}
const maxTimeoutMs = 2 ** 31 - 1

/**
 * Creates a client of an app. It connects by its first call over WebSocket; one that only speaks HTTP never does.
 *
 * @example
 * import type { app } from '../server/app.ts'
 * import manifest from '../server/manifest.json'
 *
 * const client = createClient<typeof app>({ url: 'https://api.example.com', manifest, getToken: () => session.token })
 * const authors = await client.call('GET_AUTHORS', { name: 'Ursula' })
 */
export function createClient<A extends AnyApp>(
  // The interface itself has both as optional, for options that are put together from parts.
  options: ClientOptions & ({ readonly manifest: Manifest } | { readonly pkgIds: PkgIds }),
): Client<A>
// The names, inputs and outputs of `A` are types alone: the manifest has the names, the server checks the values.
export function createClient(given: ClientOptions): object {
  const options: ClientOptions & typeof defaults = {
    ...defaults,
    // Undefined is as if it were left out.
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  }
  const { codec, onError } = options
  const manifest = toManifest(options.manifest, options.pkgIds)
  const url = (options.url ?? findOrigin()).replace(/\/$/, '').replace(/^ws/, 'http')
  const tokens = new Tokens(options.getToken)
  const stateListeners = new Set<(state: ConnectionState) => void>()
  /** Events of calls that wait for theirs, by the `req_id` of the call. */
  const caused = new Map<string, (pkgId: number, data: unknown) => void>()
  let session: Session | null = null
  /** Whose queue and subscriptions these are; undefined before the first connection. */
  let owner: string | null | undefined
  /** Changes when another user signs in. */
  let epoch = 0

  const run: Run = (listener, ...args) => {
    try {
      listener?.(...args)
    } catch (error) {
      if (onError !== undefined) return onError(error)
      queueMicrotask(() => {
        throw error
      })
    }
  }
  const subscriptions = new Subscriptions(run)
  const events = new Events(manifest.events, subscriptions, run)

  const closedError = (outcomeUnknown = false): CallError => {
    const { code = 1000, reason = '', cause } = connection.state.closure ?? {}
    return new CallError('closed', `The connection ended: ${code} ${reason}`, {
      details: { code, reason },
      outcomeUnknown,
      cause,
    })
  }
  const rejectAll = (toError: (outcomeUnknown?: boolean) => CallError): void => {
    socket.reject(toError)
    subscriptions.reject(toError())
  }
  const connectOnce = (): void => {
    if (connection.state.status === 'idle') connection.connect()
  }
  const connection = new Connection({
    ...options,
    url: `${url.replace('http', 'ws')}${manifest.path}${codec.format === null ? '' : `?format=${codec.format}`}`,
    tokens,
    closes: manifest.closes,
    onOpen: (opened) => {
      const { identity } = connection.state
      if (owner !== undefined && owner !== identity) rejectAll(identityChanged)
      owner = identity
      session = opened
      // First, so that the events of the calls are received.
      subscriptions.open(opened)
      socket.open(opened)
    },
    onEvent: (event) => {
      caused.get(String(event.meta?.cause))?.(event.pkg_id, event.data)
      events.receive(event, (data) => session?.tell({ type: 'answer', req_id: event.req_id, data }))
    },
    onControl: (frame) => subscriptions.control(frame),
    onLost: () => {
      session = null
      socket.open(session)
      subscriptions.lost()
      if (connection.state.status !== 'closed') return
      owner = undefined
      rejectAll(closedError)
    },
    onState: (state) => {
      for (const listener of [...stateListeners]) run(listener, state)
    },
  })
  const socket = new SocketWire({
    ...options,
    connect: () => {
      connectOnce()
      if (connection.state.status === 'closed') throw closedError()
    },
    takesCalls: () => connection.takesCalls,
    maxMessageBytes: () => connection.maxMessageBytes ?? manifest.maxMessageBytes,
  })
  const http = new HttpWire({ url, fetch: options.fetch ?? globalThis.fetch, tokens, epoch: () => epoch })

  /** Without a name: for a control frame. */
  const toCall = ({ timeoutMs = options.timeoutMs, signal }: CallOptions, name = '', input?: unknown): WireCall => {
    if (!(timeoutMs > 0 && timeoutMs <= maxTimeoutMs))
      throw new TypeError(`timeoutMs must be from 1 to ${maxTimeoutMs}`)
    const route = name === '' ? {} : known(manifest.routes, name)
    return {
      name,
      route,
      input,
      // A package has it, a control frame does not.
      traceparent: name && options.traceparent?.(),
      reqId: uniqueId(),
      timeoutMs,
      signal,
    }
  }
  const wireOf = ({ wire = options.wire }: CallOptions): HttpWire | SocketWire => (wire === 'http' ? http : socket)

  return {
    get state(): ConnectionState {
      return connection.state
    },
    async call(name: string, input?: unknown, by: CallOptions = {}): Promise<unknown> {
      return wireOf(by).call(toCall(by, name, input))
    },
    async callWithEvent(name: string, event: string, input?: unknown, by: CallOptions = {}): Promise<unknown> {
      events.check(event)
      const call = toCall(by, name, input)
      const wanted = manifest.events[event]?.pkgId
      const { signal } = call
      let timer: ReturnType<typeof setTimeout> | undefined
      let abort = (): void => {}
      const published = new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(timeout(call.timeoutMs, true)), call.timeoutMs)
        abort = () => reject(signal?.reason)
        signal?.addEventListener('abort', abort)
        caused.set(call.reqId, (pkgId, data) => pkgId === wanted && resolve(data))
      })
      try {
        const [answer, data] = await Promise.all([socket.call(call), published])
        return { answer, event: data }
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        caused.delete(call.reqId)
      }
    },
    stream(name: string, input?: unknown, by: CallOptions = {}): AsyncGenerator<unknown, void, undefined> {
      return wireOf(by).stream(toCall(by, name, input))
    },
    async fetch(name: string, input?: unknown, by: CallOptions = {}): Promise<Response> {
      return http.fetch(toCall(by, name, input))
    },
    on(event: string, listener: (data: unknown, meta: EventMeta) => void): () => void {
      const stop = events.on(event, listener)
      connectOnce()
      return stop
    },
    answer(event: string, answer: (data: unknown) => unknown): () => void {
      const stop = events.answer(event, answer)
      connectOnce()
      return stop
    },
    subscribe(topic: string, by: SubscribeOptions<AnyApp> = {}): Subscription {
      const subscription = subscriptions.add(topic, by)
      connectOnce()
      return subscription
    },
    async presence(topic: string, { max = 1000, ...by }: CallOptions & { max?: number } = {}): Promise<Member[]> {
      const found: Member[] = []
      let { timeoutMs } = toCall(by)
      const until = Date.now() + timeoutMs
      let cursor: unknown = null
      do {
        const call = toCall({ ...by, timeoutMs })
        const page = fieldsOf(await socket.call(call, toJson({ type: 'presence', id: call.reqId, topic, cursor })))
        if (Array.isArray(page.members)) found.push(...page.members.filter(isMember))
        cursor = page.cursor ?? null
        timeoutMs = Math.max(1, until - Date.now())
      } while (cursor !== null && found.length < max)
      return found.slice(0, max)
    },
    onState(listener: (state: ConnectionState) => void): () => void {
      const own = (state: ConnectionState): void => listener(state)
      stateListeners.add(own)
      return () => {
        stateListeners.delete(own)
      }
    },
    connect(): void {
      connection.connect()
    },
    renewToken(): void {
      tokens.forget()
      if (connection.state.status === 'open') connection.renew()
    },
    signOut(): void {
      epoch += 1
      tokens.forget()
      rejectAll(identityChanged)
      connection.reset()
      owner = undefined
    },
    close(): void {
      connection.close()
    },
  }
}
