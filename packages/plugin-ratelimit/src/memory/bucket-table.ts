/** The bucket of one key; always in one of the table's lists. */
export class Bucket {
  readonly key: string
  /** When it is full again, in microseconds. */
  tat: number
  slot: number
  previous: Bucket = this
  next: Bucket = this

  constructor(key: string, tat: number, slot: number) {
    this.key = key
    this.tat = tat
    this.slot = slot
  }
}

const slots = 64
/** `tat` is between now and one span later: at most two more time slots, since neither end is aligned. */
const ringSize = slots + 2
/** Full buckets that are deleted when one is inserted: more than 1, so that a table in use shrinks. */
const sweptPerInsert = 2

/**
 * The buckets of one rule, at most `maxKeys`, without a timer: a timing wheel of lists, by the time at which a bucket is full again. A full
 * bucket equals a missing one and is deleted when others are inserted.
 *
 * When `maxKeys` is reached by buckets that are not full, the one that would be full soonest is evicted: the one with the fewest points
 * charged. With eviction of the least recently used one a caller could evict their own bucket by charging many other keys once each. So to
 * evict a bucket with a debt of `n` points, nearly all others must have a debt as large.
 */
export class BucketTable {
  readonly #byKey = new Map<string, Bucket>()
  readonly #ring: readonly Bucket[] = Array.from({ length: ringSize }, createList)
  readonly #full = createList()
  readonly #widthUs: number
  readonly #maxKeys: number
  readonly #onEvict: () => void
  /** Lists of earlier time slots have been moved to `#full`. */
  #base = 0

  /** `onEvict` is called for each bucket that is deleted before it is full. */
  constructor(spanUs: number, maxKeys: number, onEvict: () => void) {
    this.#widthUs = Math.ceil(spanUs / slots)
    this.#maxKeys = maxKeys
    this.#onEvict = onEvict
  }

  get size(): number {
    return this.#byKey.size
  }

  find(key: string): Bucket | undefined {
    return this.#byKey.get(key)
  }

  /** Stores a bucket by the time at which it is full; `bucket` is undefined for a new one. `tat` is after `nowUs`, by at most one span. */
  set(bucket: Bucket | undefined, key: string, tat: number, nowUs: number): void {
    this.#advance(Math.floor(nowUs / this.#widthUs))
    const slot = Math.floor(tat / this.#widthUs)
    if (bucket === undefined) {
      this.#reclaim()
      const created = new Bucket(key, tat, slot)
      this.#byKey.set(key, created)
      link(this.#list(slot), created)
      return
    }
    bucket.tat = tat
    if (bucket.slot === slot) return
    bucket.slot = slot
    unlink(bucket)
    link(this.#list(slot), bucket)
  }

  remove(bucket: Bucket): void {
    unlink(bucket)
    this.#byKey.delete(bucket.key)
  }

  #advance(slot: number): void {
    if (slot - this.#base > ringSize) this.#base = slot - ringSize
    for (; this.#base < slot; this.#base++) splice(this.#list(this.#base), this.#full)
  }

  #reclaim(): void {
    for (let i = 0; i < sweptPerInsert && this.#full.next !== this.#full; i++) this.remove(this.#full.next)
    if (this.#byKey.size < this.#maxKeys) return
    for (let slot = this.#base; slot < this.#base + ringSize; slot++) {
      const list = this.#list(slot)
      if (list.next === list) continue
      this.remove(list.next)
      this.#onEvict()
      return
    }
  }

  #list(slot: number): Bucket {
    // Every index below ringSize has a list: the fallback is for the type checker.
    return this.#ring[slot % ringSize] ?? this.#full
  }
}

/** A circular list; its head is not a bucket. */
function createList(): Bucket {
  return new Bucket('', 0, -1)
}

function link(list: Bucket, bucket: Bucket): void {
  const last = list.previous
  bucket.previous = last
  bucket.next = list
  last.next = bucket
  list.previous = bucket
}

function unlink(bucket: Bucket): void {
  bucket.previous.next = bucket.next
  bucket.next.previous = bucket.previous
}

/** Moves all buckets to the end of another list. */
function splice(from: Bucket, to: Bucket): void {
  if (from.next === from) return
  const [first, last] = [from.next, from.previous]
  to.previous.next = first
  first.previous = to.previous
  last.next = to
  to.previous = last
  from.next = from
  from.previous = from
}
