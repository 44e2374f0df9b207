import type { AnyApp, Client, Member, Subscription } from '@twinwire/client'
import type { Activity } from './activity.ts'
import { Emitter } from './emitter.ts'

export interface Joined {
  readonly topic: string
  readonly status: 'ended' | 'subscribed' | 'subscribing'
  readonly message: string
  /** Null: the topic does not tell. */
  readonly members: readonly Member[] | null
}

/** Topics that the console is subscribed to, with who else is. Their events are logged as all events are. */
export class TopicList {
  readonly changed = new Emitter()
  readonly #client: Client<AnyApp>
  readonly #activity: Activity
  readonly #joined = new Map<string, Joined>()
  readonly #subscriptions = new Map<string, Subscription>()

  constructor(client: Client<AnyApp>, activity: Activity) {
    this.#client = client
    this.#activity = activity
  }

  get(topic: string): Joined | undefined {
    return this.#joined.get(topic)
  }

  get all(): readonly Joined[] {
    return [...this.#joined.values()]
  }

  subscribe(topic: string, hasPresence: boolean): void {
    if (this.#subscriptions.has(topic)) return
    this.#set(topic, { status: 'subscribing', message: '', members: null })
    const subscription = this.#client.subscribe(topic, {
      onGap: () => this.#note(topic, 'Events may have been lost: load the state again'),
      onEnd: ({ code, msg }) => {
        this.#subscriptions.delete(topic)
        this.#set(topic, { status: 'ended', message: `${code}: ${msg}`, members: null })
        this.#note(topic, `The subscription has ended: ${code}: ${msg}`)
      },
      ...(hasPresence && {
        onPresence: (change, member) => {
          this.#note(topic, `${nameOf(member)} has ${change}`)
          void this.#readMembers(topic)
        },
      }),
    })
    this.#subscriptions.set(topic, subscription)
    subscription.ready.then(
      ({ position }) => {
        if (this.#subscriptions.get(topic) !== subscription) return
        this.#set(topic, { status: 'subscribed', message: position === null ? '' : `at offset ${position.offset}` })
        this.#note(topic, 'Subscribed')
        if (hasPresence) void this.#readMembers(topic)
      },
      // `onEnd` has told.
      () => {},
    )
  }

  unsubscribe(topic: string): void {
    this.#subscriptions.get(topic)?.unsubscribe()
    this.#subscriptions.delete(topic)
    this.#joined.delete(topic)
    this.#note(topic, 'Unsubscribed')
    this.changed.emit()
  }

  async #readMembers(topic: string): Promise<void> {
    try {
      const members = await this.#client.presence(topic, { max: 100 })
      if (this.#subscriptions.has(topic)) this.#set(topic, { members })
    } catch (error) {
      if (this.#subscriptions.has(topic))
        this.#note(topic, `Its members cannot be read: ${error instanceof Error ? error.message : ''}`)
    }
  }

  #set(topic: string, change: Partial<Joined>): void {
    const before = this.#joined.get(topic) ?? { topic, status: 'subscribing', message: '', members: null }
    this.#joined.set(topic, { ...before, ...change })
    this.changed.emit()
  }

  #note(topic: string, message: string): void {
    this.#activity.add({ kind: 'note', title: topic, state: 'info', facts: ['topic'], message, data: undefined })
  }
}

/** What the rule of the topic says of a member, else its identity. */
export function nameOf({ identity, info }: Member): string {
  const named = typeof info === 'object' && info !== null && 'name' in info ? info.name : null
  return typeof named === 'string' ? named : (identity ?? 'a client without an identity')
}
