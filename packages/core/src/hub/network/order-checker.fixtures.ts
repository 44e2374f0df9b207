// What one connection may receive of one stream: the order guarantee, as a test sees it from outside.
import type { Position } from '../broker.ts'

/** What happened to one connection, in its order. */
export type Seen =
  /** An event; `meta` is what the client was told. */
  | { readonly kind: 'event'; readonly stream: string; readonly n: number; readonly meta: Position | null }
  /** The client sent `subscribe`. */
  | { readonly kind: 'asked'; readonly stream: string; readonly request: number; readonly since: Position | null }
  /** `head`: of the stream on the server at that time. */
  | {
      readonly kind: 'answer'
      readonly stream: string
      readonly request: number
      readonly position: Position | null
      readonly recovered: boolean
      readonly head: Position | null
    }
  | { readonly kind: 'failed'; readonly stream: string; readonly request: number }
  /** The frame. */
  | {
      readonly kind: 'gap'
      readonly stream: string
      readonly position: Position | null
      readonly head: Position | null
    }
  /** The broker told its node; those that have not opted in are not told. */
  | { readonly kind: 'node-gap'; readonly stream: string; readonly optedIn: boolean }
  /** A call began to join it; it is known to be a member when that was done, at the position of its node. */
  | { readonly kind: 'joining'; readonly stream: string }
  | { readonly kind: 'joined'; readonly stream: string; readonly position: Position | null }
  | { readonly kind: 'left'; readonly stream: string }

/** What was published. */
export interface Truth {
  /** Of the publication with this number; null if there is none, or if its stream has no history. */
  place(n: number): { readonly stream: string; readonly position: Position | null; readonly index: number } | null
}

interface Pending {
  readonly since: Position | null
  readonly wasMember: boolean
  /** Of the past that was sent for it. */
  readonly replayed: Position | null
}

/** Follows one stream on one connection; throws at the first thing that may not be. */
export class StreamView {
  #isMember = false
  /** Its next event is the next one after it. `unknown`: any. */
  #last: Position | 'unknown' = 'unknown'
  #joining = 0
  /** Where it began to follow it. */
  #begin: Position | null = null
  readonly #had = new Map<string, number>()
  /** The client has asked to have it again. */
  readonly #mayRepeat = new Set<string>()
  readonly #pending = new Map<number, Pending>()
  readonly #truth: Truth
  /** Else it receives the stream without having joined it. */
  readonly #isTopic: boolean

  constructor(truth: Truth, isTopic: boolean) {
    this.#truth = truth
    this.#isTopic = isTopic
  }

  see(seen: Seen): void {
    if (seen.kind === 'event') this.#event(seen.n, seen.meta)
    else if (seen.kind === 'asked') this.#asked(seen)
    else if (seen.kind === 'answer') this.#answer(seen)
    else if (seen.kind === 'failed') this.#pending.delete(seen.request)
    else if (seen.kind === 'gap') this.#gap(seen.position, seen.head)
    else if (seen.kind === 'node-gap') this.#nodeGap(seen.optedIn)
    else if (seen.kind === 'joining') this.#joining += 1
    else if (seen.kind === 'joined') this.#joined(seen.position)
    else this.#left()
  }

  /** Nothing is on its way any more. */
  end(head: Position | null): void {
    if (this.#pending.size > 0) throw new Error('a subscribe was not answered')
    if (!this.#isMember || this.#last === 'unknown' || head === null) return
    if (!equal(this.#last, head)) throw new Error(`ends at ${show(this.#last)}, the stream at ${show(head)}`)
  }

  #event(n: number, meta: Position | null): void {
    const known = this.#truth.place(n)
    if (known === null) throw new Error(`${n} was never published`)
    // Taken, lost with all that the server had, and sent again since no answer had come: it is in both epochs.
    const isAgain = meta !== null && known.position !== null && known.position.epoch !== meta.epoch
    if (meta !== null && !isAgain && (known.position === null || !equal(known.position, meta)))
      throw new Error(
        `${n} came as ${show(meta)}, and is ${known.position === null ? 'nowhere' : show(known.position)}`,
      )
    const place = (isAgain ? meta : known.position) ?? { epoch: '-', offset: known.index }
    if (this.#had.has(show(place))) throw new Error(`${show(place)} came twice`)
    if (!this.#isMember && this.#joining > 0) {
      this.#isMember = true
      this.#last = 'unknown'
      this.#begin = { epoch: place.epoch, offset: place.offset - 1 }
    }
    if (this.#isMember && (this.#last === 'unknown' || isNext(this.#last, place))) this.#last = place
    else this.#replay(place)
    this.#had.set(show(place), place.offset)
  }

  /** It is not what follows, so it must be what a pending `subscribe` has missed. */
  #replay(place: Position): void {
    for (const [request, { since, wasMember, replayed }] of this.#pending) {
      const from = replayed ?? since
      if (from === null || !isNext(from, place)) continue
      for (const had of this.#had.keys()) {
        const [epoch, offset] = had.split(':')
        if (epoch === place.epoch && Number(offset) > place.offset) throw new Error(`${show(place)} came after ${had}`)
      }
      this.#pending.set(request, { since, wasMember, replayed: place })
      return
    }
    const after = this.#isMember
      ? this.#last === 'unknown'
        ? ''
        : ` after ${show(this.#last)}`
      : ' to one that has not joined'
    throw new Error(`${show(place)} came${after}`)
  }

  #asked({ request, since }: Extract<Seen, { kind: 'asked' }>): void {
    this.#pending.set(request, { since, wasMember: this.#isMember || this.#joining > 0, replayed: null })
    if (since === null) return
    // What it wants again: all, once it has left; else what came before the position at which it began.
    const until = this.#isMember ? this.#begin : null
    if (this.#isMember && until?.epoch !== since.epoch) return
    this.#wantAgain(since, until)
  }

  #wantAgain(since: Position | null, until: Position | null): void {
    if (since === null) return
    for (const had of [...this.#had.keys()]) {
      const [epoch, offset] = had.split(':')
      if (epoch !== since.epoch || Number(offset) <= since.offset) continue
      if (until !== null && Number(offset) > until.offset) continue
      this.#had.delete(had)
      this.#mayRepeat.add(had)
    }
  }

  #answer({ request, position, recovered, head }: Extract<Seen, { kind: 'answer' }>): void {
    const pending = this.#pending.get(request)
    if (pending === undefined) throw new Error('an answer without a question')
    this.#pending.delete(request)
    const { since, wasMember, replayed } = pending
    if (position !== null && head !== null && position.epoch === head.epoch && position.offset > head.offset)
      throw new Error(`subscribed at ${show(position)}, in the future of ${show(head)}`)
    if (recovered) {
      if (since === null || position === null || since.epoch !== position.epoch || since.offset > position.offset)
        throw new Error(`recovered from ${since === null ? 'nothing' : show(since)} to ${position && show(position)}`)
      for (let offset = since.offset + 1; offset <= position.offset; offset++)
        if (
          !this.#had.has(show({ ...since, offset })) &&
          !(wasMember && this.#mayRepeat.has(show({ ...since, offset })))
        )
          throw new Error(`recovered from ${since.offset} to ${show(position)} without ${offset}`)
    } else if (!wasMember && replayed !== null)
      throw new Error(`not recovered, after a part of the past: ${show(replayed)}`)
    this.#isMember = true
    this.#last = position ?? 'unknown'
    if (!recovered && this.#isTopic) this.#begin = position
  }

  #gap(position: Position | null, head: Position | null): void {
    // As of an event: it has joined, and the caller of `join` does not know yet.
    if (!this.#isMember && this.#joining > 0) this.#isMember = true
    if (!this.#isMember) throw new Error('a gap for one that has not joined')
    if (position !== null && head !== null && position.epoch === head.epoch && position.offset > head.offset)
      throw new Error(`a gap up to ${show(position)}, in the future of ${show(head)}`)
    this.#last = position ?? 'unknown'
  }

  #nodeGap(optedIn: boolean): void {
    if (!optedIn) this.#last = 'unknown'
  }

  #joined(position: Position | null): void {
    this.#joining -= 1
    if (this.#isMember) return
    this.#isMember = true
    if (this.#isTopic) this.#begin = position
    this.#last = position ?? 'unknown'
  }

  #left(): void {
    this.#isMember = false
    this.#last = 'unknown'
    // A `subscribe` that is still on its way joins it anew: all after its position is sent to it, also what came before it left.
    for (const [request, pending] of this.#pending) {
      this.#wantAgain(pending.since, null)
      this.#pending.set(request, { ...pending, wasMember: this.#joining > 0 })
    }
  }
}

const show = ({ epoch, offset }: Position): string => `${epoch}:${offset}`
const equal = (a: Position, b: Position): boolean => a.epoch === b.epoch && a.offset === b.offset
const isNext = (last: Position, place: Position): boolean =>
  last.epoch === place.epoch && last.offset + 1 === place.offset
