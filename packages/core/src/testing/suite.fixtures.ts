import { randomUUID } from 'node:crypto'
import { AuthenticationError } from '../errors/app-error.ts'
import { Disconnect, disconnects } from '../errors/disconnect.ts'
import type { ControlHandler, HandshakeOptions } from '../plugin/control-frames.ts'
import type { Identify, PluginHost } from '../plugin/host.ts'
import type { Plugin } from '../plugin/plugin.ts'
import type { RawSocket } from './raw-client.ts'

/** A promise and what settles it. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** Turns of the event loop until `isTrue`, however many the machine needs. */
export async function until(isTrue: () => boolean): Promise<void> {
  const end = performance.now() + 15_000
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`never came true: ${isTrue}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A package as it goes over the wire. */
export function packet(pkgId: unknown, data?: unknown, reqId: unknown = randomUUID()): string {
  return JSON.stringify({ pkg_id: pkgId, req_id: reqId, method: '', data })
}

export interface ReplyFrame {
  readonly pkg_id: number
  readonly req_id: string
  readonly status_code: number
  readonly meta: unknown
  readonly data: unknown
}

export interface ErrorData {
  readonly code: string
  readonly msg: string
  readonly details: unknown
}

/** The next text frame, as JSON. */
export async function nextJson<T = ReplyFrame>(socket: RawSocket): Promise<T> {
  const { data } = await socket.next()
  return JSON.parse(String(data)) as T
}

/** Sends one package and returns the next frame. */
export function exchange(socket: RawSocket, frame: string): Promise<ReplyFrame> {
  socket.send(frame)
  return nextJson(socket)
}

/** The code that an error reply carries. */
export function codeOf({ data }: ReplyFrame): string {
  return (data as ErrorData).code
}

/** A plugin of one hook. */
export function plugin(setup: (host: PluginHost) => void, name = 'probe'): Plugin {
  return { name, setup }
}

export interface TestAuthOptions extends Partial<HandshakeOptions> {
  /** Runs before a token is looked at. */
  readonly verify?: () => Promise<void>
  readonly identify?: Identify
}

/**
 * The least plugin that owns identity and handshake. The token is the caller's name: `{"type":"auth","token":"ann"}`, or the header
 * `authorization: ann`; `bad` is refused.
 */
export function testAuth(options: TestAuthOptions = {}): Plugin {
  const { verify, identify, ...handshake } = options
  const handle: ControlHandler = (frame, connection) => {
    const admit = () => {
      const { token } = frame
      if (typeof token !== 'string' || token === 'bad') throw new Disconnect(disconnects.unauthorized)
      const known = connection.identity?.id
      if (known !== undefined && known !== token) throw new Disconnect(disconnects.unauthorized)
      return { identity: { id: token, name: token }, reply: { type: 'auth_ok' } }
    }
    return verify === undefined ? admit() : verify().then(admit)
  }
  const fromHeader: Identify = ({ headers }) => {
    const token = headers.authorization
    if (token === undefined) return null
    if (token === 'bad') throw new AuthenticationError('The token is not valid')
    return { id: token, name: token }
  }
  return plugin((host) => {
    host.identify(identify ?? fromHeader)
    host.controlFrame('auth', handle, handshake)
  }, 'auth')
}

export function auth(token: string): string {
  return JSON.stringify({ type: 'auth', token })
}
