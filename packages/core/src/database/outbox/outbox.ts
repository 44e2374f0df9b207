import type { Publication } from '../../call/publication.ts'
import { coreError } from '../../errors/app-error.ts'
import { streamKey } from '../../hub/stream-key.ts'
import type { PluginHost } from '../../plugin/host.ts'
import type { Database } from '../database.ts'
import { checkTable, examineTable } from '../own-table.ts'
import type { CheckedOutboxOptions } from './outbox-options.ts'
import { insertRows, ownOutbox, readLagMs } from './outbox-rows.ts'
import { OutboxSender, type OutboxSenderOptions } from './outbox-sender.ts'

/** What transactions do with the publications that were made inside of them. */
export interface Outbox {
  /**
   * Behind all statements of the handler. Returns whether there was any.
   *
   * @throws AppError `payload_too_large` for one that the broker would never take: its row would hold back its stream
   */
  store(tx: Database, publications: readonly Publication[]): Promise<boolean>
  /** After the COMMIT of a transaction that stored some. */
  committed(): void
}

/** Starts with the app and ends with it. */
export function openOutbox(
  host: PluginHost,
  { db, transaction }: Pick<OutboxSenderOptions, 'db' | 'transaction'>,
  { pollMs, maxLagMs, batchSize }: CheckedOutboxOptions,
): Outbox {
  const { clock, log, instruments } = host
  const sent = instruments
    .counter('outbox_sent_total', 'Publications of the outbox that the broker took from this process')
    .cell()
  const failed = instruments
    .counter(
      'outbox_failures_total',
      'Failed attempts to send publications of the outbox: of a stream, or of a whole round when the database fails',
    )
    .cell()
  const sender = new OutboxSender({
    db,
    transaction,
    publishOnce: (publication, key) => host.publishOnce(publication, key),
    pollMs,
    batchSize,
    clock,
    log,
    counted: { sent, failed },
  })
  instruments
    .gauge(
      'outbox_lag_seconds',
      'How long the oldest publication of the outbox has waited, looked at every pollMs',
      {},
      {
        combine: 'max',
      },
    )
    .cell()
    .readFrom(() => sender.lagMs / 1000)
  host.health(
    'outbox',
    async () => {
      const lagMs = (await readLagMs(db)) ?? 0
      if (lagMs > maxLagMs)
        throw new Error(
          `The oldest publication of the outbox has waited for ${Math.round(lagMs)} ms, more than ${maxLagMs} ms`,
        )
    },
    // The app works on, and nothing is lost: it is sent when the broker is there again.
    { required: false },
  )
  host.doctor('outbox', () => examineTable(db, ownOutbox))
  host.onReady(async () => {
    await checkTable(db, ownOutbox)
    sender.start()
  })
  host.onClose(() => sender.close())
  const checkSize = (publication: Publication): void => {
    try {
      host.checkPublication(publication)
    } catch (cause) {
      log.warn(
        { err: cause, stream: streamKey(publication.audience) },
        'A call was rolled back: its event is too large',
      )
      throw coreError('payload_too_large', 'An event of this call is larger than can be published', { cause })
    }
  }
  return {
    async store(tx, publications) {
      if (publications.length === 0) return false
      for (const publication of publications) checkSize(publication)
      await insertRows(tx, publications)
      return true
    },
    committed: () => sender.wake(),
  }
}
