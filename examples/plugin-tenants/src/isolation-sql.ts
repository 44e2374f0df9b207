import { getTableName } from 'drizzle-orm'
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core'

/** The parameter of PostgreSQL that has the tenant of a transaction. */
export const tenantParameter = 'app.tenant'

/** SQLSTATE of the error when it is not set. */
export const noTenantState = 'TN001'

// An empty string is what is left in a connection whose last transaction had a tenant.
const currentTenant = `create or replace function app_tenant() returns text language plpgsql stable as $$
declare tenant text := nullif(current_setting('${tenantParameter}', true), '');
begin
  if tenant is null then
    raise exception 'no tenant is set' using errcode = '${noTenantState}';
  end if;
  return tenant;
end $$`

/** The condition of the policy below as PostgreSQL prints it, for its operator `~`. */
export const policyPattern =
  '^\\(\\(?("([^"]|"")+"|[a-z_][a-z0-9_$]*)\\)?(::text)? = \\( SELECT ([^ ]+\\.)?app_tenant\\(\\) AS app_tenant\\)\\)$'

/**
 * The statements that isolate a table: put them into a migration (`drizzle-kit generate --custom`). Rows are read and written only in a transaction of
 * their tenant, also by the owner of the table.
 *
 * @param column - The column with the tenant of a row, of type text.
 *
 * @example
 * isolationSql(notes, notes.tenant).join(';\n')
 */
export function isolationSql(table: PgTable, column: PgColumn): readonly string[] {
  const name = quotedName(table)
  // In a subquery it is called once for each statement, and not for each row.
  const own = `${quote(column.name)} = (select app_tenant())`
  return [
    currentTenant,
    `alter table ${name} enable row level security`,
    `alter table ${name} force row level security`,
    `create policy ${quote(`${getTableName(table)}_tenant`)} on ${name} using (${own}) with check (${own})`,
  ]
}

/** With its schema, for `to_regclass` and in statements. */
export function quotedName(table: PgTable): string {
  const { schema, name } = getTableConfig(table)
  return schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
