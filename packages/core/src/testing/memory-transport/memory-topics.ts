import type { MemorySocket } from './memory-socket.ts'

/** The topics of a memory transport. */
export class MemoryTopics {
  /** See `Transport.acceptedBytes`. */
  acceptedBytes = 0
  readonly #subscribers = new Map<string, Set<MemorySocket>>()

  subscribe(socket: MemorySocket, topic: string): void {
    const subscribers = this.#subscribers.get(topic)
    if (subscribers === undefined) this.#subscribers.set(topic, new Set([socket]))
    else subscribers.add(socket)
  }

  unsubscribe(socket: MemorySocket, topic: string): void {
    const subscribers = this.#subscribers.get(topic)
    if (subscribers?.delete(socket) && subscribers.size === 0) this.#subscribers.delete(topic)
  }

  unsubscribeAll(socket: MemorySocket): void {
    for (const topic of this.#subscribers.keys()) this.unsubscribe(socket, topic)
  }

  publish(topic: string, data: Uint8Array, binary: boolean): void {
    for (const socket of this.#subscribers.get(topic) ?? []) socket.send(data, binary)
  }
}
