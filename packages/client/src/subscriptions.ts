import { CallError, type Fields } from './call-error.ts'
import type { AnyApp, SubscribeOptions, Subscription } from './client-types.ts'
import { type Position, toPosition } from './position.ts'
import type { Session } from './session.ts'
import { isMember, type Run, type Subscribed, Topic, type TopicListener } from './topic.ts'

/** The `meta` of an event. */
export interface EventMeta {
  readonly topic: string | null
  /** Null for a topic without history. */
  readonly position: Position | null
  /** The `req_id` of the call that published it; null for another origin. */
  readonly cause: string | null
}

/** The topics that a client is subscribed to: they outlive connections. */
export class Subscriptions {
  readonly #topics = new Map<string, Topic>()
  readonly #run: Run
  #session: Session | null = null

  constructor(run: Run) {
    this.#run = run
  }

  add(name: string, options: SubscribeOptions<AnyApp>): Subscription {
    const topic = this.#topics.get(name) ?? new Topic(name, this.#run, () => this.#topics.delete(name))
    let onReady: TopicListener['onReady'] = () => {}
    let reject = (_: CallError): void => {}
    const ready = new Promise<Subscribed>((...both) => {
      ;[onReady, reject] = both
    })
    // It is for those who wait; `onEnd` tells the others.
    ready.catch(() => {})
    const onEnd = (error: CallError): void => {
      reject(error)
      options.onEnd?.(error)
    }
    const listener: TopicListener = { ...options, onReady, onEnd }
    this.#topics.set(name, topic)
    topic.add(listener, this.#session)
    return {
      topic: name,
      ready,
      get position() {
        return topic.position
      },
      unsubscribe: () => {
        topic.remove(listener)
        reject(new CallError('closed', 'Unsubscribed'))
      },
    }
  }

  open(session: Session): void {
    this.#session = session
    for (const topic of this.#topics.values()) topic.resume(session)
  }

  lost(): void {
    this.#session = null
    for (const topic of this.#topics.values()) topic.suspend()
  }

  reject(error: CallError): void {
    for (const topic of [...this.#topics.values()]) topic.end(error)
  }

  /** Takes note of an event. False: it has been delivered before. Null: of no topic here. */
  accept({ topic, position }: EventMeta): Topic | null | false {
    const found = this.#topics.get(String(topic)) ?? null
    return found?.accept(position) === false ? false : found
  }

  /** A control frame that answers nothing. */
  control(frame: Fields): void {
    const { type, code, member } = frame
    const topic = this.#topics.get(String(frame.topic))
    if (type === 'gap') topic?.gap(toPosition(frame))
    if (type === 'unsubscribed') topic?.end(new CallError(String(code), 'Unsubscribed'))
    if ((type === 'joined' || type === 'left') && isMember(member)) topic?.presence(type, member)
  }
}
