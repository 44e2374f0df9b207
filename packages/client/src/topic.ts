import { type CallError, type Fields, isFields } from './call-error.ts'
import type { AnyApp, Member, SubscribeOptions } from './client-types.ts'
import { type Position, toPosition } from './position.ts'
import type { Session } from './session.ts'

/** What a server has said about a subscription. */
export interface Subscribed {
  readonly position: Position | null
  /** Every publication since the position that was named has been delivered. */
  readonly recovered: boolean
}

export interface TopicListener extends SubscribeOptions<AnyApp> {
  /** The first answer of the server. */
  readonly onReady: (subscribed: Subscribed) => void
}

/** Calls a function of the user: what it throws is reported. */
export type Run = <Args extends readonly unknown[]>(
  listener: ((...args: Args) => void) | undefined,
  ...args: Args
) => void

/** Errors after which the same subscription may succeed. A lost connection is followed by another one. */
const passing = ['unavailable', 'deadline_exceeded', 'rate_limit_exceeded', 'too_many_in_flight', 'connection_lost']
const retryMs = 1_000

/** One topic, with all that listen to it: one subscription at the server. */
export class Topic {
  readonly #name: string
  readonly #onEmpty: () => void
  readonly #run: Run
  /** After the last event that was delivered. */
  position: Position | null = null
  readonly listeners: Set<TopicListener> = new Set()
  /** The server has answered. */
  #isReady = false
  /** Null without a connection. */
  #session: Session | null = null
  /** Where the last answer came from. */
  #joined: Session | null = null
  #watches = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(name: string, run: Run, onEmpty: () => void) {
    this.#name = name
    this.#run = run
    this.#onEmpty = onEmpty
  }

  add(listener: TopicListener, session: Session | null): void {
    const { since = null, onPresence } = listener
    const isFirst = this.listeners.size === 0
    this.listeners.add(listener)
    if (isFirst) this.position = since
    if (session !== null && (isFirst || (onPresence !== undefined && !this.#watches))) this.resume(session)
    // What the others have received is not kept here.
    if (this.#isReady) queueMicrotask(() => this.#answer(listener, false))
  }

  /** The last one leaves the topic. */
  remove(listener: TopicListener): void {
    if (!this.listeners.delete(listener) || this.listeners.size > 0) return
    this.#session?.ask({ type: 'unsubscribe', topic: this.#name }).catch(() => {})
    this.suspend()
    this.#onEmpty()
  }

  /** Subscribes on a connection, from where the last one ended. */
  resume(session: Session): void {
    const since = this.position ?? undefined
    clearTimeout(this.#timer)
    this.#session = session
    this.#watches = [...this.listeners].some(({ onPresence }) => onPresence !== undefined)
    const isCurrent = (): boolean => this.#session === session
    const onAnswer = (answer: Fields): void => {
      if (isCurrent()) this.#subscribed(answer, session)
    }
    session
      .ask({ type: 'subscribe', topic: this.#name, since, presence: this.#watches }, onAnswer)
      .catch((error: CallError) => {
        if (!isCurrent()) return
        if (!passing.includes(error.code)) this.end(error)
        else this.#timer = setTimeout(() => isCurrent() && this.resume(session), error.retryAfterMs ?? retryMs)
      })
  }

  /** There is no connection. */
  suspend(): void {
    clearTimeout(this.#timer)
    this.#session = null
  }

  /** False: an event that has been delivered before, or is of an earlier subscription: until the answer there is no hole. */
  accept(position: Position | null): boolean {
    const last = this.position
    if (last !== null && position?.epoch === last.epoch) {
      const step = position.offset - last.offset
      if (step < 1 || (step > 1 && this.#joined !== this.#session)) return false
    }
    this.position = position ?? last
    return true
  }

  gap(position: Position | null): void {
    this.position = position
    for (const { onGap } of [...this.listeners]) this.#run(onGap)
  }

  presence(change: 'joined' | 'left', member: Member): void {
    for (const { onPresence } of [...this.listeners]) this.#run(onPresence, change, member)
  }

  end(error: CallError): void {
    const listeners = [...this.listeners]
    this.listeners.clear()
    this.suspend()
    this.#onEmpty()
    for (const { onEnd } of listeners) this.#run(onEnd, error)
  }

  #subscribed(answer: Fields, session: Session): void {
    const position = toPosition(answer)
    const recovered = answer.recovered === true
    const isFirst = !this.#isReady
    // Also without history: what was published in between is lost. On the same connection nothing is.
    if (!recovered && !isFirst && this.#joined !== session) this.gap(position)
    this.#isReady = true
    this.#joined = session
    this.position = position
    if (isFirst) for (const listener of [...this.listeners]) this.#answer(listener, recovered)
  }

  /** A position that was named, and not continued from, is a gap. */
  #answer({ since, onGap, onReady }: TopicListener, recovered: boolean): void {
    if (!recovered && since) this.#run(onGap)
    onReady({ position: this.position, recovered })
  }
}

export function isMember(value: unknown): value is Member {
  return isFields(value) && typeof value.connection === 'string'
}
