/** The choices of one schedule: the same seed makes the same ones. */
export interface SeededRandom {
  /** From 0 to below 1. */
  float(): number
  /** From `min` to `max`, both included. */
  integer(min: number, max: number): number
  /** True with this probability, from 0 to 1. */
  chance(probability: number): boolean
  /** One of them. Throws a RangeError when there is none. */
  pick<T>(items: readonly T[]): T
}

/**
 * Creates a sequence of random numbers. Those of another `stream` do not depend on how many this one has given. Source: sfc32 of
 * PractRand, seeded by the 32-bit FNV-1a hash of seed and stream.
 */
export function createSeededRandom(seed: number, stream: string): SeededRandom {
  let [a, b, c, d] = [hash(`${seed} ${stream}`), hash(`${stream} ${seed}`), seed >>> 0, 1]
  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // The first ones depend too little on the seed.
  for (let i = 0; i < 15; i++) next()
  const float = (): number => next() / 2 ** 32
  const integer = (min: number, max: number): number => min + Math.floor(float() * (max - min + 1))
  return {
    float,
    integer,
    chance: (probability) => float() < probability,
    pick(items) {
      for (const item of items.slice(integer(0, items.length - 1)).slice(0, 1)) return item
      throw new RangeError('pick() takes a list that is not empty')
    },
  }
}

function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}
