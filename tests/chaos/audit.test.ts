// PostgreSQL is killed and frozen, and servers are killed and stopped, under load: calls against rows of the audit log. CHAOS_ROUNDS and CHAOS_SEED are
// in the environment.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../differential/random.ts'
import { type BuiltApp, buildApp } from '../support/built-app.ts'
import { type AuditChaosCall, AuditChaosLedger, concurrency } from '../support/chaos-audit-ledger.ts'
import { AuditChaosNode } from '../support/chaos-audit-node.ts'
import { type AuditChaosRound, planAuditRounds } from '../support/chaos-audit-rounds.ts'
import { type AuditChaosMode, auditChaosDdl, deeds } from '../support/chaos-audit-shared.ts'
import { isEmbeddedPostgresInstalled } from '../support/embedded-postgres.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)
const count = Number(process.env.CHAOS_ROUNDS ?? 8)
/** Of each connection, once the database is back. */
const callsAfter = 4
const modes = ['drop', 'spill'] as const

describe.skipIf(!isEmbeddedPostgresInstalled())('the audit log', () => {
  let server: TestPostgres
  let app: BuiltApp
  let folder: string
  const nodes = new Set<AuditChaosNode>()
  const start = async (mode: AuditChaosMode, name: string): Promise<AuditChaosNode> => {
    const node = await AuditChaosNode.start(app, name, mode, { DATABASE: server.url, FOLDER: folder })
    nodes.add(node)
    return node
  }
  const connect = () => postgres(server.url, { max: 1, onnotice: () => {} })

  beforeAll(async () => {
    server = await startPostgres({ own: true })
    folder = await mkdtemp(join(tmpdir(), 'twinwire-chaos-audit-'))
    app = await buildApp('chaos-audit-app.ts')
    const query = connect()
    await query.unsafe(auditChaosDdl)
    await query.end()
  }, 120_000)
  afterAll(async () => {
    await Promise.all([...nodes].map((node) => node.kill()))
    await app?.remove()
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  }, 120_000)

  /** Puts PostgreSQL away, and back. */
  const harm = async (round: AuditChaosRound, end: Promise<void>): Promise<void> => {
    const { database, databaseDelayMs, awayMs, isAwayUntilEnd } = round
    if (database === null) return
    await setTimeout(databaseDelayMs)
    await (database === 'killed' ? server.crash() : server.pause())
    try {
      await setTimeout(awayMs)
      if (isAwayUntilEnd) await end
    } finally {
      await (database === 'killed' ? server.restart() : server.resume())
    }
  }

  test(
    'audited calls have their row, others lose what was in memory, and no row is there twice',
    async () => {
      console.info(`The same rounds again: CHAOS_ROUNDS=${count} CHAOS_SEED=${seed}`)
      const random = new Random(seed)
      const ledger = new AuditChaosLedger()
      let started = 0
      const next = (mode: AuditChaosMode): Promise<AuditChaosNode> => {
        started += 1
        return start(mode, `${mode}-${started}`)
      }
      const running = { drop: await next('drop'), spill: await next('spill') }

      /** One connection's calls, one after the other. */
      const load = async (node: AuditChaosNode, i: number, round: number, own: Random, isOver: () => boolean) => {
        for (let n = 0, after = 0; after < callsAfter; n += 1) {
          if (isOver()) after += 1
          // Half of them go on while audited calls wait for the database.
          const route = i < 2 ? 'NOTE' : own.weighted({ NOTE: 2, ACT: 4, LOOK: 1 })
          const does = own.chance(0.7) ? 'succeed' : own.pick(deeds)
          const wire = i % 2 === 0 ? 'ws' : 'http'
          const call: AuditChaosCall = { name: `${round}-${node.name}-${i}-${n}`, node, round, route, does, wire }
          if (node.end !== null || !(await node.call(ledger, call))) return
          await setTimeout(own.int(5, 25))
        }
      }
      const play = async (round: AuditChaosRound, number: number): Promise<void> => {
        let isOver = false
        const doomed = running[round.mode]
        const loads = Object.values(running).flatMap((node) =>
          Array.from({ length: concurrency }, (_, i) =>
            load(node, i, number, new Random(random.int(0, 2 ** 31)), () => isOver),
          ),
        )
        const end = async (): Promise<void> => {
          if (round.server === null) return
          await setTimeout(round.serverDelayMs)
          await (round.server === 'killed' ? doomed.kill() : doomed.stop())
        }
        const ending = end()
        const events = Promise.all([harm(round, ending), ending]).finally(() => {
          isOver = true
        })
        await Promise.all([events, ...loads])
        if (doomed.end === null) return
        nodes.delete(doomed)
        running[round.mode] = await next(round.mode)
      }
      for (const [number, round] of planAuditRounds(random, count).entries()) {
        try {
          await play(round, number)
        } catch (cause) {
          throw new Error(`Round ${number} of seed ${seed}, ${JSON.stringify(round)}: ${String(cause)}`, { cause })
        }
      }

      // What was spilled is stored while a server runs.
      await expect.poll(() => readdir(folder), { timeout: 60_000, interval: 100 }).toEqual([])
      for (const mode of modes) await running[mode].stop()
      expect(await readdir(folder)).toEqual([])
      nodes.clear()
      const query = connect()
      const figures = await ledger.check(query)
      await query.end()
      console.info(`Figures: ${JSON.stringify(figures)}`)
      expect(figures.codes).toMatchObject({ 'NOTE ok': expect.anything(), 'ACT ok': expect.anything() })
    },
    120_000 + 15_000 * count,
  )
})
