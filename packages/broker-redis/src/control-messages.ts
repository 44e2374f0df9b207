import { randomUUID } from 'node:crypto'
import type { BrokerNode, ControlMessage } from '@twinwire/core/transport'
import type { NodeKeys } from './keys.ts'
import { parseJson } from './message.ts'
import type { RedisLink } from './redis-link.ts'
import { controlScript } from './scripts/node-scripts.ts'

/** A message may arrive twice for this time after the one for which it is kept. */
const marginMs = 60_000

interface KeptMessage {
  readonly text: string
  /** Server time. */
  readonly untilMs: number
}

/** Sends and receives control messages: by a channel, and those that are kept also by reading them. Each is handled once. */
export class ControlMessages {
  readonly #link: RedisLink
  readonly #keys: NodeKeys
  readonly #node: Pick<BrokerNode, 'control'>
  /** By id, so that each is handled once; and a Redis that comes back empty gets them again. */
  readonly #kept = new Map<string, KeptMessage>()

  constructor(link: RedisLink, keys: NodeKeys, node: Pick<BrokerNode, 'control'>) {
    this.#link = link
    this.#keys = keys
    this.#node = node
  }

  async send(message: ControlMessage, keepMs: number): Promise<void> {
    const text = JSON.stringify({ type: message.type, data: message.data })
    await this.#write([randomUUID(), text, Math.max(0, Math.ceil(keepMs)), '', this.#keys.control])
  }

  /** A message of the channel or one that was kept: `<id> <kept until> <JSON>`. */
  receive(text: string): void {
    const parts = /^(\S+) (\d+) (.*)$/s.exec(text)
    if (parts === null) return
    const [, id = '', until = '', json = ''] = parts
    if (this.#kept.has(id)) return
    const message = toControlMessage(parseJson(json))
    if (message === null) return
    this.#kept.set(id, { text: json, untilMs: Number(until) })
    this.#node.control(message)
  }

  /** Forgets those whose time is over. */
  expire(serverMs: number): void {
    for (const [id, { untilMs }] of this.#kept) if (untilMs + marginMs < serverMs) this.#kept.delete(id)
  }

  /** Redis may have lost them: each node writes what it knows, and Redis takes each once. */
  async writeAgain(serverMs: number): Promise<void> {
    for (const [id, { text, untilMs }] of this.#kept)
      if (untilMs > serverMs) await this.#write([id, text, 0, untilMs, ''])
  }

  async #write(args: readonly (string | number)[]): Promise<void> {
    const { meta, kept, keptIds, keptUntil } = this.#keys
    await this.#link.run(
      'control',
      controlScript,
      [meta, kept, keptIds, keptUntil],
      [randomUUID(), ...args, this.#link.publishCommand],
    )
  }
}

function toControlMessage(value: unknown): ControlMessage | null {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') return null
  return { type: value.type, data: 'data' in value ? value.data : null }
}
