/** The WebSocket of a browser, of Node 22, Deno, Bun, or of the package `ws`. */
export interface ClientSocket {
  binaryType: string
  addEventListener(type: string, listener: (event: SocketEvent) => void): void
  send(frame: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
}

export interface SocketEvent {
  readonly type: string
  readonly data?: unknown
  readonly code?: number
  readonly reason?: string
}

export type WebSocketConstructor = new (url: string) => ClientSocket

interface Scope {
  readonly WebSocket?: WebSocketConstructor
  readonly document?: { readonly visibilityState: string }
  readonly location?: { readonly origin: string }
  addEventListener?(type: string, listener: () => void): void
  removeEventListener?(type: string, listener: () => void): void
}

const scope: Scope = globalThis

/** @throws TypeError where there is none */
export function findWebSocket(chosen: WebSocketConstructor | undefined): WebSocketConstructor {
  const found = chosen ?? scope.WebSocket
  if (found === undefined) throw new TypeError('createClient() needs `WebSocket`')
  return found
}

/** The origin of the page. @throws TypeError outside of one */
export function findOrigin(): string {
  const { location } = scope
  if (location === undefined) throw new TypeError('createClient() needs `url`')
  return location.origin
}

const wakeEvents = ['online', 'pageshow', 'focus', 'visibilitychange']

/** Calls `wake` when the network or the page is back. Returns what stops it. */
export function onWake(wake: () => void): () => void {
  const listener = (): void => {
    if (scope.document?.visibilityState !== 'hidden') wake()
  }
  // In Node.js there is none of it.
  for (const type of wakeEvents) scope.addEventListener?.(type, listener)
  return () => {
    for (const type of wakeEvents) scope.removeEventListener?.(type, listener)
  }
}
