// A node whose calls are recorded, to be killed: DATABASE, MODE and FOLDER (of rows that do not fit in the queue) are in the environment.
import process from 'node:process'
import {
  check,
  closeOnSignals,
  createApp,
  createLogger,
  NotFoundError,
  PermissionDeniedError,
  route,
} from '@twinwire/core'
import { database, transaction } from '@twinwire/core/database'
import { audit, audited } from '@twinwire/plugin-audit'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { auditChaosOptions, auditChaosPaths, auditChaosPkgIds, type Deed, deeds } from './chaos-audit-shared.ts'

const { DATABASE = '', MODE = 'drop', FOLDER = '' } = process.env

const Input = v.object({ name: v.string(), does: v.picklist(deeds) })
const sumOf = (name: string): number =>
  app.instruments
    .families()
    .filter((family) => family.name === name)
    .flatMap(({ cells }) => cells)
    .reduce((sum, { cell }) => sum + ('value' in cell ? cell.value : cell.count), 0)
const state = () => `dropped ${sumOf('audit_logs_dropped_total')}`

/** Every answer that a client can read says how many rows were dropped until then. */
const perform = (does: Deed) => {
  if (does === 'refuse') throw new NotFoundError(`Not here, ${state()}`)
  if (does === 'fail') throw new Error('It fails')
  return { state: state() }
}
const allowed = check({
  name: 'allowed',
  run: ({ does }: { does: Deed }) => {
    if (does === 'forbid') throw new PermissionDeniedError(`Not allowed, ${state()}`)
  },
})

const app = createApp({
  pkgIds: auditChaosPkgIds,
  routes: {
    NOTE: route({
      http: `POST ${auditChaosPaths.NOTE}`,
      use: [allowed],
      input: Input,
      handler: ({ does }) => perform(does),
    }),
    ACT: route({
      http: `POST ${auditChaosPaths.ACT}`,
      use: [audited(), transaction({ retries: 2 }), allowed],
      input: Input,
      handler: async ({ name, does }, { db }) => {
        await db.execute(sql`insert into effects (name) values (${name})`)
        return perform(does)
      },
    }),
    LOOK: route({
      http: `POST ${auditChaosPaths.LOOK}`,
      use: [audited({ readOnly: true }), allowed],
      input: Input,
      handler: ({ does }) => perform(does),
    }),
  },
  plugins: [
    database({ url: DATABASE, pool: { max: 6 } }),
    audit({ ...auditChaosOptions, ...(MODE === 'spill' && { overflow: 'spill', spillFolder: FOLDER }) }),
  ],
  log: { logger: createLogger({ environment: 'test', level: 'fatal' }) },
  environment: 'test',
  defaultAccess: 'public',
  deadlineMs: 3000,
  drainSpreadMs: 0,
})
closeOnSignals(app)
process.on('exit', () => console.log(`at the end: ${state()}`))
const { port } = await app.listen({ port: 0 })
console.log(JSON.stringify({ port }))
