import type { AnyApp, CallOptions, SubscribeOptions, Subscription } from '../client-types.ts'
import type { ConnectionState } from '../connection.ts'
import type { EventMeta } from '../subscriptions.ts'

/** A client as the hooks use it: the names, inputs and outputs of its app are types alone. */
export interface LooseClient {
  readonly state: ConnectionState
  call(name: string, input: unknown, options: CallOptions): Promise<unknown>
  on(event: string, listener: (data: unknown, meta: EventMeta) => void): () => void
  subscribe(topic: string, options: SubscribeOptions<AnyApp>): Subscription
  onState(listener: () => void): () => void
}
