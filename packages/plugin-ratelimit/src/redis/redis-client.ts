/** What is needed of a client: a `Redis` or a `Cluster` of ioredis is one. */
export interface RedisClient {
  readonly status: string
  readonly isCluster: boolean
  connect(): Promise<unknown>
  disconnect(reconnect?: boolean): void
  evalsha(sha: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>
  eval(lua: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>
  ping(): Promise<unknown>
  on(event: 'connect' | 'ready' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'connect' | 'ready' | 'close', listener: () => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
}
