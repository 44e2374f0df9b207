/** The bucket of one key, a member of one list. */
export class Bucket {
  readonly key: string
  /** The moment at which it is full again, in microseconds. */
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
/** `tat` lies between now and one span later, which touches at most two slots more. */
const ringSize = slots + 2
/** How many buckets that are full again a new one takes away: over 1, so that a table shrinks again while it is used. */
const sweptPerInsert = 2

/**
 * The buckets of one rule, at most `maxKeys`, without a timer: they lie in a ring of lists by the moment at which they are full
 * again. What has become full is as good as absent and goes when new ones come.
 *
 * When all places are taken by buckets that are not full, the one that would be full soonest goes: the one whose forgetting gives
 * away least. Were it the one that was used longest ago, whoever is refused could make room for a bucket of their own by asking for many
 * others once each. So to have one forgotten that owes `n` points, nearly all others have to owe as much.
 */
export class BucketTable {
  readonly #byKey = new Map<string, Bucket>()
  readonly #ring: readonly Bucket[] = Array.from({ length: ringSize }, createList)
  readonly #full = createList()
  readonly #widthUs: number
  readonly #maxKeys: number
  readonly #onEvict: () => void
  /** Every list of an earlier slot has been moved to `#full`. */
  #base = 0

  /** `onEvict` is told of each bucket that goes without being full. */
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

  /** Files a bucket, found or new, under the moment at which it is full; `tat` is later than `nowUs`, by a span at most. */
  file(bucket: Bucket | undefined, key: string, tat: number, nowUs: number): void {
    this.#advance(Math.floor(nowUs / this.#widthUs))
    const slot = Math.floor(tat / this.#widthUs)
    if (bucket === undefined) {
      this.#makeRoom()
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

  #makeRoom(): void {
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
    // Every index below the size of the ring has a list.
    return this.#ring[slot % ringSize] ?? this.#full
  }
}

/** A list is a ring of buckets of which one, the head, is none. */
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

/** Moves everything to the end of another list. */
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
