import { type DropListener, dropSafe } from '../base/drop-safe.ts'
import type { Member, MemberPage } from './broker.ts'
import type { PresenceTable } from './presence-table.ts'
import type { TopicTable } from './topic.ts'

export interface PresenceOptions {
  /** Of the page before; null or left out for the first page. */
  readonly cursor?: string | null
  /** Members of a page, 1 to 1000. Default 100. */
  readonly limit?: number
}

/** Who is joined to topics with presence, over all nodes. */
export interface HubPresence {
  /**
   * One page of the connections that are joined to `topic`, on all nodes. `cursor` of the result is for the next page, null on the last one.
   * The first page waits until the broker has answered who joins and leaves in this process: its connections are in it from their join on, unless the
   * broker does not take them; those of other processes a moment later. Who joins or leaves while you page may or may not be in it. Rejects with
   * TypeError for a topic without presence or a wrong option, and if the broker does not answer.
   *
   * @example
   * const { members } = await app.hub.presence('team:1')
   * const names = members.map(({ identity }) => identity)
   */
  presence(topic: string, options?: PresenceOptions): Promise<MemberPage>
  /**
   * All of them, page by page.
   *
   * @example
   * for await (const { identity, info } of app.hub.members('team:1')) console.log(identity, info)
   */
  members(topic: string): AsyncIterableIterator<Member>
}

interface Parts {
  readonly presences: PresenceTable
  readonly topics: TopicTable
  readonly rejections: DropListener
}

const maxPage = 1000

/** Reads the presence of topics. */
export class PresenceReader implements HubPresence {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  presence(topic: string, { cursor = null, limit = 100 }: PresenceOptions = {}): Promise<MemberPage> {
    return dropSafe(this.#page(topic, cursor, limit), 'hub.presence', this.#parts.rejections)
  }

  async *members(topic: string): AsyncIterableIterator<Member> {
    let cursor: string | null = null
    do {
      const page: MemberPage = await this.#page(topic, cursor, maxPage)
      yield* page.members
      cursor = page.cursor
    } while (cursor !== null)
  }

  async #page(topic: string, cursor: string | null, limit: number): Promise<MemberPage> {
    if (cursor !== null && typeof cursor !== 'string')
      throw new TypeError('hub.presence: cursor must be that of the page before, or null')
    if (!Number.isInteger(limit) || limit < 1 || limit > maxPage)
      throw new TypeError(`hub.presence: limit must be an integer from 1 to ${maxPage}`)
    const rule = this.#parts.topics.find(topic)
    if (rule === null)
      throw new TypeError(`hub.presence: the topic '${topic}' has no rule: add one to createApp({ topics })`)
    if (!rule.presence)
      throw new TypeError(`hub.presence: the topic '${topic}' has no presence: set presence: true in '${rule.pattern}'`)
    return this.#parts.presences.page(topic, cursor, limit)
  }
}
