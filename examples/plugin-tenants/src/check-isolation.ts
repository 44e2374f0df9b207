import { BootError } from '@twinwire/core'
import type { Database } from '@twinwire/core/database'
import { sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { policyPattern, quotedName } from './isolation-sql.ts'

/**
 * Checks that PostgreSQL isolates the tables for the role that the app is connected as.
 *
 * @throws BootError `tenants.unsafe_role`, `tenants.unprotected_table`
 */
export async function checkIsolation(db: Database, tables: readonly PgTable[]): Promise<void> {
  await checkRole(db)
  for (const table of tables) await checkTable(db, quotedName(table))
}

async function checkRole(db: Database): Promise<void> {
  const [role] = await db
    .select({
      name: sql<string>`rolname`,
      isSuperuser: sql<boolean>`rolsuper`,
      bypasses: sql<boolean>`rolbypassrls`,
    })
    .from(sql`pg_roles`)
    .where(sql`rolname = current_user`)
  const unsafe = role?.isSuperuser ? 'is a superuser' : role?.bypasses ? 'has BYPASSRLS' : null
  if (unsafe === null) return
  throw new BootError(
    'tenants.unsafe_role',
    `tenants(): the role ${role?.name} ${unsafe}, so PostgreSQL shows it the rows of all tenants: connect as another role`,
  )
}

async function checkTable(db: Database, name: string): Promise<void> {
  const refuse = (problem: string): never => {
    throw new BootError('tenants.unprotected_table', `tenants(): the table ${name} ${problem}`)
  }
  const [table] = await db
    .select({
      enabled: sql<boolean>`relrowsecurity`,
      forced: sql<boolean>`relforcerowsecurity`,
      owned: sql<boolean>`pg_has_role(current_user, relowner, 'usage')`,
    })
    .from(sql`pg_class`)
    .where(sql`oid = to_regclass(${name})`)
  if (table === undefined) return refuse('is missing: apply the migrations')
  if (!table.enabled) refuse('has no row-level security: apply the statements of isolationSql()')
  if (!table.forced)
    refuse(
      table.owned
        ? 'belongs to the role of the app, whom policies do not bind: alter table … force row level security'
        : 'does not force row-level security on its owner: alter table … force row level security',
    )
  const policies = await findPolicies(db, name)
  if (policies.length === 0) refuse('has no policy for the role of the app: apply the statements of isolationSql()')
  const open = policies.find(({ isOfTenant }) => isOfTenant !== true)
  if (open !== undefined)
    refuse(`has the policy ${open.name}, which adds rows to those of the tenant: drop it, or make it restrictive`)
}

/** Policies for this role that permit rows. PostgreSQL permits what any of them does: one `using (true)` shows the rows of all tenants. */
function findPolicies(
  db: Database,
  table: string,
): Promise<readonly { readonly name: string; readonly isOfTenant: boolean | null }[]> {
  const reads = sql`pg_get_expr(polqual, polrelid)`
  const writes = sql`pg_get_expr(polwithcheck, polrelid)`
  return db
    .select({
      name: sql<string>`polname`,
      isOfTenant: sql<
        boolean | null
      >`coalesce(${reads}, ${writes}) ~ ${policyPattern} and coalesce(${writes}, ${reads}) ~ ${policyPattern}`,
    })
    .from(sql`pg_policy`)
    .where(
      sql`polrelid = to_regclass(${table}) and polpermissive and (0 = any(polroles) or exists (
        select from pg_roles r where r.oid = any(polroles) and pg_has_role(r.oid, 'usage')))`,
    )
}
