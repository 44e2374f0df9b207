/** The events of one connection. */
interface RedisNode {
  readonly status: string
  on(event: 'connect', listener: () => void): unknown
}

/** What the store needs of a client; a `Redis` or a `Cluster` of ioredis is one. */
export interface RedisClient extends RedisNode {
  readonly isCluster: boolean
  connect(): Promise<unknown>
  disconnect(reconnect?: boolean): void
  evalsha(sha: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>
  eval(lua: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>
  ping(): Promise<unknown>
  /** The nodes of a cluster. */
  nodes?(): readonly RedisNode[]
  on(event: 'connect' | 'ready' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: '+node', listener: (node: RedisNode) => void): unknown
  off(event: 'connect' | 'ready' | 'close', listener: () => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  off(event: '+node', listener: (node: RedisNode) => void): unknown
}
