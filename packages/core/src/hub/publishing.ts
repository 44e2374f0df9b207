import { type DropListener, dropSafe } from '../base/drop-safe.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { failureOf, type OperationSpan, type Operations, type PublicationOperation } from '../base/operations.ts'
import type { Audience, Publication } from '../call/publication.ts'
import type { Broker, Position, Stream, StreamHistory } from './broker.ts'
import type { HubInstruments } from './hub-instruments.ts'
import { streamName } from './stream-key.ts'
import type { TopicTable } from './topic.ts'

interface PublishingOptions {
  readonly broker: Broker
  readonly historyOf: (stream: Stream) => StreamHistory
  readonly counted: Pick<HubInstruments, 'taken' | 'refused'>
  readonly onError: (error: unknown) => void
  /** A promise that the broker returned to a call has rejected. */
  readonly onLateError: (error: unknown) => void
  readonly rejections: DropListener
  readonly topics: Pick<TopicTable, 'find'>
  readonly operations?: Operations | undefined
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
    const span = this.#options.operations?.begin?.(this.#toOperation(publication)) ?? null
    return span === null ? this.#give(publication, key) : traced(span, () => this.#give(publication, key))
  }

  #toOperation({ audience, pkgId }: Publication): PublicationOperation {
    const { broker, topics } = this.#options
    const destination = streamName(audience)
    return { kind: 'publication', destination, pattern: patternOf(audience, topics), pkgId, broker: broker.name }
  }

  #give(publication: Publication, key: string | null): MaybePromise<Position | null> {
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

function patternOf(audience: Audience, topics: Pick<TopicTable, 'find'>): string {
  return (audience.kind === 'topic' ? topics.find(audience.topic)?.pattern : undefined) ?? streamName(audience)
}

/** What is synchronous stays so. */
function traced<T>(span: OperationSpan, work: () => MaybePromise<T>): MaybePromise<T> {
  const failed = (error: unknown): never => {
    span.end(failureOf(error))
    throw error
  }
  try {
    const result = span.run(work)
    if (isPromise(result)) {
      return result.then((value) => {
        span.end(null)
        return value
      }, failed)
    }
    span.end(null)
    return result
  } catch (error) {
    return failed(error)
  }
}
