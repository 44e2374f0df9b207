import { type DropListener, dropSafe } from '../base/drop-safe.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import type { Publication } from '../call/publication.ts'
import type { Broker, Position, Stream, StreamHistory } from './broker.ts'
import type { HubInstruments } from './hub-instruments.ts'

interface PublishingOptions {
  readonly broker: Broker
  readonly historyOf: (stream: Stream) => StreamHistory
  readonly counted: Pick<HubInstruments, 'taken' | 'refused'>
  readonly onError: (error: unknown) => void
  /** A promise that the broker returned to a call has rejected. */
  readonly onLateError: (error: unknown) => void
  readonly rejections: DropListener
}

/** Gives publications to the broker. Each failure is counted once. */
export class Publishing {
  readonly #options: PublishingOptions
  isOpen = false
  /** A delivery within the current publication has failed and was counted: a broker that delivers at once throws the same error again. */
  isReported = false

  constructor(options: PublishingOptions) {
    this.#options = options
  }

  /** For a call, which does not wait: a failure that comes later is logged and counted. */
  send(publication: Publication): void {
    const result = this.#send(publication)
    if (isPromise(result)) result.then(undefined, this.#options.onLateError)
  }

  /**
   * For a caller that may wait.
   *
   * @param name - Of the promise, for the log: `hub.publish`.
   */
  publish(name: string, publication: Publication): MaybePromise<void> {
    const result = this.#send(publication)
    if (!isPromise(result)) return
    const { onError, rejections } = this.#options
    const taken = result.then(
      () => undefined,
      (error: unknown) => {
        onError(error)
        throw error
      },
    )
    return dropSafe(taken, name, rejections)
  }

  /** Throws for one that is larger than the broker takes. */
  checkPublication(publication: Publication): void {
    const { broker, historyOf } = this.#options
    broker.check?.(publication, historyOf(publication.audience))
  }

  /** What was prepared before, by any process, and is in the broker when this resolves: once for each key. */
  async publishOnce(publication: Publication, key: string): Promise<void> {
    await this.#send(publication, key)
  }

  #send(publication: Publication, key: string | null = null): MaybePromise<Position | null> {
    if (!this.isOpen) throw new Error('The app has not started: await app.ready() before publishing')
    const { broker, historyOf, counted, onError } = this.#options
    this.isReported = false
    try {
      const result = broker.publish(publication, historyOf(publication.audience), key)
      if (!isPromise(result)) counted.taken.inc()
      else
        result.then(
          () => counted.taken.inc(),
          () => counted.refused.inc(),
        )
      return result
    } catch (error) {
      // What could not be delivered here was taken.
      counted[this.isReported ? 'taken' : 'refused'].inc()
      if (!this.isReported) onError(error)
      throw error
    }
  }
}
