import type { DatabaseApi } from '@twinwire/core/database'
import { checkTable } from '@twinwire/core/database'
import type { PluginHost } from '@twinwire/core/plugin'
import type { AuditApi } from '../audit-key.ts'
import { owner, type ResolvedAuditOptions } from '../options.ts'
import { auditTable } from '../table.ts'
import { AuditedCalls } from './audited-calls.ts'
import { DatabaseWriter } from './database-writer.ts'
import { declareInstruments } from './instruments.ts'
import { Recorder } from './recorder.ts'
import { RowMaker } from './row.ts'
import { SkippedCalls } from './skipped-calls.ts'
import { SpillFiles } from './spill-files.ts'

/** Less than core has for the `onClose` of a plugin, which is five seconds. */
const closeMs = 3500

/** Records the calls of the app. */
export function recordCalls(host: PluginHost, options: ResolvedAuditOptions, database: () => DatabaseApi): AuditApi {
  const { clock, log } = host
  const { enabled, maxRowBytes, roles, queueSize, batchSize, batchMs, writeTimeoutMs: timeoutMs } = options
  const instruments = declareInstruments(host.instruments)
  const failed = (error: unknown): void => {
    instruments.errors.record.inc()
    log.error({ err: error }, 'A call could not be recorded in full')
  }
  const rows = new RowMaker({ clock, maxRowBytes, roles, failed })
  const writer = new DatabaseWriter({ database, clock, log, timeoutMs, batchSize, instruments })
  const skipped = new SkippedCalls(options.skip)
  let spill: SpillFiles | null = null
  const recorder = new Recorder({
    writer,
    clock,
    log,
    queueSize,
    batchSize,
    batchMs,
    spill: () => spill,
    instruments,
  })
  const audited = new AuditedCalls({ database, clock, log, rows, writer, recorder, instruments })

  host.onInput((call, input) => {
    if (!enabled && !audited.has(call.route)) return
    if (skipped.has(call) && !audited.has(call.route)) return
    try {
      rows.keepInput(call, input)
    } catch (error) {
      failed(error)
    }
  })
  host.beforeReply((call, decided) => audited.beforeReply(call, decided), { when: (route) => audited.has(route) })
  host.onReply(
    (call, outcome) => {
      try {
        if (audited.has(call.route)) return audited.onReply(call, outcome)
        if (!enabled || skipped.has(call)) return
        recorder.add(rows.toRow(call, outcome))
      } catch (error) {
        failed(error)
      }
    },
    { readsAddress: enabled },
  )
  host.health(
    'audit',
    () => {
      const problem = recorder.findProblem()
      if (problem !== null) throw new Error(problem)
    },
    { required: false },
  )
  host.onReady(async () => {
    skipped.check(host.routes)
    audited.check(host.describe())
    await checkTable(database().db, {
      table: auditTable,
      name: 'user_actions',
      package: '@twinwire/plugin-audit',
      exportName: 'auditTable',
      owner,
      privileges: ['insert', 'update', ...(options.retentionDays === 0 ? [] : ['delete' as const])],
    })
    if (options.spill !== null)
      spill = await SpillFiles.open({
        ...options.spill,
        batchSize,
        clock,
        log,
        instruments,
        store: (list) => writer.write(list),
        lost: (count) => recorder.lost(count),
      })
    spill?.readBack()
  })
  host.onClose(() => recorder.close(closeMs))
  return audited
}
