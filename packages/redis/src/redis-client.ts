/** The events of one connection. */
interface RedisNode {
  readonly status: string
  on(event: 'connect', listener: () => void): unknown
}

interface KeyPrefix {
  readonly keyPrefix?: string | undefined
}

type ConnectionEvent = 'connect' | 'ready' | 'close' | 'end' | 'subscribersReady'

/** What Twinwire needs of a client; a `Redis` or a `Cluster` of ioredis is one. */
export interface RedisClient extends RedisNode {
  readonly isCluster: boolean
  /** What it was created with. */
  readonly options?: KeyPrefix & { readonly redisOptions?: KeyPrefix | undefined }
  connect(): Promise<unknown>
  disconnect(reconnect?: boolean): void
  /** Another client of the same servers. The arguments are those of ioredis: other options, and before them the nodes of a cluster. */
  duplicate(first?: object, second?: object): RedisClient
  evalsha(sha: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>
  eval(lua: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>
  ping(): Promise<unknown>
  subscribe(...channels: string[]): Promise<unknown>
  unsubscribe(...channels: string[]): Promise<unknown>
  ssubscribe(...channels: string[]): Promise<unknown>
  sunsubscribe(...channels: string[]): Promise<unknown>
  /** The nodes of a cluster. */
  nodes?(): readonly RedisNode[]
  on(event: ConnectionEvent, listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: '+node', listener: (node: RedisNode) => void): unknown
  on(event: 'message' | 'smessage', listener: (channel: string, message: string) => void): unknown
  off(event: ConnectionEvent, listener: () => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  off(event: '+node', listener: (node: RedisNode) => void): unknown
  off(event: 'message' | 'smessage', listener: (channel: string, message: string) => void): unknown
}
