/**
 * The part of uWebSockets.js that this folder uses. Declared here, because an application may bring any build, and the declarations
 * of builds differ from what they do (an enum that does not exist at run time, `listen` without its form with host and options).
 */
export interface UwsModule {
  App(): UwsApp
  /** Absent from builds without TLS. */
  SSLApp?(files: UwsTlsFiles): UwsApp
  us_listen_socket_close(socket: UwsListenSocket): void
  us_socket_local_port(socket: UwsListenSocket): number
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number
  readonly SHARED_COMPRESSOR: number
  /** Named after the least that it takes. */
  readonly DEDICATED_COMPRESSOR_32KB: number
  readonly SHARED_DECOMPRESSOR: number
}

/** What uSockets takes for TLS. */
export interface UwsTlsFiles {
  readonly key_file_name: string
  readonly cert_file_name: string
  readonly passphrase?: string
  readonly ca_file_name?: string
  readonly ssl_ciphers?: string
}

/** A native pointer: closing it twice is undefined behaviour. */
export type UwsListenSocket = object

/** A native pointer, valid as long as the app. */
export type UwsUpgradeContext = object

export type UwsRoute = (res: UwsResponse, req: UwsRequest) => void

export interface UwsApp {
  get(pattern: string, handler: UwsRoute): UwsApp
  post(pattern: string, handler: UwsRoute): UwsApp
  put(pattern: string, handler: UwsRoute): UwsApp
  patch(pattern: string, handler: UwsRoute): UwsApp
  del(pattern: string, handler: UwsRoute): UwsApp
  head(pattern: string, handler: UwsRoute): UwsApp
  options(pattern: string, handler: UwsRoute): UwsApp
  any(pattern: string, handler: UwsRoute): UwsApp
  ws(pattern: string, behavior: UwsBehavior): UwsApp
  listen(host: string, port: number, options: number, done: (socket: UwsListenSocket | false) => void): UwsApp
  /** Frames of 16 KiB or more are sent at once, others at the end of the turn of the event loop. False: the topic has no subscriber. */
  publish(topic: string, message: Uint8Array, isBinary: boolean, compress: boolean): boolean
  close(): UwsApp
}

/** Valid until its callback returns. */
export interface UwsRequest {
  getUrl(): string
  getQuery(): string
  getCaseSensitiveMethod(): string
  /** All header fields in their order, repeated ones too. */
  forEach(each: (lowerCaseName: string, value: string) => void): void
}

/** After the abort, `end`, `endWithoutBody`, `close` or `upgrade` any call throws. */
export interface UwsResponse {
  onAborted(handler: () => void): unknown
  /** The chunk is detached when the handler returns. */
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown
  onWritable(handler: (offset: number) => boolean): unknown
  pause(): unknown
  resume(): unknown
  cork(write: () => void): unknown
  writeStatus(status: string | Uint8Array): unknown
  /** `value` is written as it is. */
  writeHeader(name: string, value: string | Uint8Array): unknown
  write(chunk: string | Uint8Array): boolean
  end(body?: string | Uint8Array, closeConnection?: boolean): unknown
  /** Sends what the system takes of a part of a body of `totalLength` bytes. `complete`: that was the last of it. */
  tryEnd(part: string | Uint8Array, totalLength: number): [ok: boolean, complete: boolean]
  /** Bytes of the body that `tryEnd` has sent. */
  getWriteOffset(): number
  endWithoutBody(reportedContentLength?: number, closeConnection?: boolean): unknown
  close(): unknown
  /** 4 or 16 bytes. */
  getRemoteAddress(): ArrayBuffer
  upgrade(userData: object, key: string, protocol: string, extensions: string, context: UwsUpgradeContext): void
}

/** After the `close` event any call throws. */
export interface UwsWebSocket {
  /** 1 sent, 0 queued, 2 dropped. `compress` has no effect where the client did not offer it. */
  send(message: string | Uint8Array, isBinary: boolean, compress: boolean): 0 | 1 | 2
  ping(): 0 | 1 | 2
  subscribe(topic: string): boolean
  unsubscribe(topic: string): boolean
  getBufferedAmount(): number
  cork(write: () => void): unknown
  end(code: number, reason: string): void
  close(): void
  getUserData(): unknown
}

export interface UwsBehavior<S extends UwsWebSocket = UwsWebSocket> {
  maxPayloadLength: number
  maxBackpressure: number
  closeOnBackpressureLimit: boolean
  idleTimeout: number
  maxLifetime: number
  sendPingsAutomatically: boolean
  compression: number
  upgrade(res: UwsResponse, req: UwsRequest, context: UwsUpgradeContext): void
  open(ws: S): void
  message(ws: S, message: ArrayBuffer, isBinary: boolean): void
  ping(ws: S, message: ArrayBuffer): void
  drain(ws: S): void
  close(ws: S, code: number, reason: ArrayBuffer): void
}
