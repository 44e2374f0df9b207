import type { UwsApp } from './uws-types.ts'

/** Captured when the module loads, so that fake timers of a test do not stop it. */
const { setImmediate } = globalThis

/** Of the header of a frame. */
const maxHeaderBytes = 10
/** Larger frames are given to the sockets at once. */
const batchedBytes = 16 * 1024
/** So many are collected for one socket. */
const maxBatched = 32

/** By how much compression may make a frame longer that it cannot make shorter. */
function maxGrowth(bytes: number): number {
  return (bytes >> 8) + 16
}

/** Native publishing: uWS collects frames, and gives them to the sockets at the end of the turn of the event loop (uws-rules.md#publish). */
export class UwsPublications {
  /** See `Transport.acceptedBytes`. */
  acceptedBytes = 0
  /** Frames of this length or more are compressed. */
  compressFrom: number = Number.POSITIVE_INFINITY
  /** Null before it listens, and once it is closed. */
  app: Pick<UwsApp, 'publish'> | null = null
  /** Of this turn, frames that were collected. */
  #turnBytes = 0
  #longest = 0
  readonly #turnEnded = (): void => {
    this.#turnBytes = 0
    this.#longest = 0
  }

  /** What may be collected for one socket now, at most. */
  get pendingBytes(): number {
    return Math.min(this.#turnBytes, this.#longest * maxBatched)
  }

  publish(topic: string, data: Uint8Array, binary: boolean): void {
    if (this.app === null) return
    const compress = data.byteLength >= this.compressFrom
    const bytes = data.byteLength + maxHeaderBytes + (compress ? maxGrowth(data.byteLength) : 0)
    this.acceptedBytes += bytes
    if (data.byteLength < batchedBytes) {
      // Immediates run after uWS has given the frames to the sockets.
      if (this.#turnBytes === 0) setImmediate(this.#turnEnded)
      this.#turnBytes += bytes
      if (bytes > this.#longest) this.#longest = bytes
    }
    this.app.publish(topic, data, binary, compress)
  }

  /** A frame for one socket. `length`: bytes, or characters, of which each takes at most three. */
  count(length: number): void {
    this.acceptedBytes += length * 3 + maxHeaderBytes
  }
}
