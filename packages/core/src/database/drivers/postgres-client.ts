import type { Sql } from 'postgres'
import type { PostgresConnection, Statement } from './postgres-connection.ts'
import type { PostgresPool } from './postgres-pool.ts'

/** The part of a client of postgres.js that drizzle uses. */
export interface DrizzleClient {
  /** drizzle puts its own parsers in: dates and times reach it as text. */
  readonly options: { readonly parsers: Sql['options']['parsers']; readonly serializers: Sql['options']['serializers'] }
  unsafe: Unsafe
  begin<T>(run: (client: DrizzleTransaction) => Promise<T>): Promise<T>
}

interface DrizzleTransaction {
  unsafe: Unsafe
  savepoint<T>(run: (client: DrizzleTransaction) => Promise<T>): Promise<T>
}

/** Resolves with objects, or after `values()` with arrays. */
type Unsafe = (
  text: string,
  parameters?: unknown[],
  options?: Statement['options'],
) => Promise<unknown> & { values(): Promise<unknown> }

/** A pool of ours, in the shape in which drizzle uses postgres.js. */
export function createDrizzleClient(pool: PostgresPool): DrizzleClient {
  return {
    options: { parsers: {}, serializers: {} },
    unsafe: toUnsafe((statement) => pool.with((connection) => connection.run(statement))),
    begin: (run) => pool.with((connection) => transact(connection, run)),
  }
}

async function transact<T>(
  connection: PostgresConnection,
  run: (client: DrizzleTransaction) => Promise<T>,
): Promise<T> {
  await connection.command('begin')
  let result: T
  try {
    result = await run(createTransaction(connection))
  } catch (error) {
    // A connection that is lost has rolled back; the error that led here tells more than that of the rollback.
    await connection.command('rollback').catch(() => {})
    throw error
  }
  const { command } = await connection.command('commit')
  // PostgreSQL answers so after a statement that failed and whose error was caught.
  if (command !== 'COMMIT')
    throw new Error('A statement of the transaction had failed: it was rolled back, not committed')
  return result
}

function createTransaction(connection: PostgresConnection): DrizzleTransaction {
  let savepoints = 0
  const client: DrizzleTransaction = {
    unsafe: toUnsafe((statement) => connection.run(statement)),
    async savepoint(run) {
      savepoints += 1
      const name = `twinwire_${savepoints}`
      await connection.command(`savepoint ${name}`)
      try {
        const result = await run(client)
        await connection.command(`release savepoint ${name}`)
        return result
      } catch (error) {
        // Should it fail, so will the commit.
        await connection.command(`rollback to savepoint ${name}`).catch(() => {})
        throw error
      }
    },
  }
  return client
}

function toUnsafe(run: (statement: Statement) => Promise<unknown>): Unsafe {
  return (text, parameters = [], options = {}) => {
    let values = false
    // drizzle asks for values in the same tick, if at all.
    const result = Promise.resolve().then(() => run({ text, parameters, options, values }))
    const asValues = (): Promise<unknown> => {
      values = true
      return result
    }
    return Object.assign(result, { values: asValues })
  }
}
