/**
 * The data layer: repositories, transactions, migrations, effects that happen once, the outbox.
 *
 * @packageDocumentation
 */
export type { ConnectOptions } from './database/connect.ts'
export type { ConstraintWordings } from './database/constraint-wording.ts'
export { type Database, type DatabaseApi, databaseKey, type TransactionRequest } from './database/database.ts'
export type { DatabaseOptions } from './database/database-options.ts'
export { database } from './database/database-plugin.ts'
export { type DatabaseSettings, type DatabaseSettingsOptions, databaseSettings } from './database/database-settings.ts'
export type {
  DatabaseDriver,
  DriverConnection,
  DriverContext,
  DriverResult,
  DriverStatement,
  OpenDriver,
} from './database/drivers/driver.ts'
export type { PoolOptions } from './database/drivers/pool-options.ts'
export { type DatabaseFailure, findDatabaseFailure } from './database/errors.ts'
export type { FilterOf, Filters } from './database/filters.ts'
export type { MigrationEntry, MigrationState } from './database/migrate.ts'
export { type MigrateOptions, migrate, migrationStatus } from './database/migrations.ts'
export type { OnceOptions } from './database/once/once-options.ts'
export { once } from './database/once/once-step.ts'
export { onceTable } from './database/once/once-table.ts'
export type { OrderBy, SortableName, SortDirection } from './database/order.ts'
export type { OutboxOptions } from './database/outbox/outbox-options.ts'
export { outboxTable } from './database/outbox/outbox-rows.ts'
export { checkTable, type OwnTable } from './database/own-table.ts'
export type { PageRequest } from './database/page.ts'
export type { PageOptions } from './database/page-settings.ts'
export { hasMany, hasOne, type Loaded, type RelatedOf, type Relation, type Relations } from './database/relations.ts'
export { BaseRepository } from './database/repository.ts'
export type {
  ListOptions,
  RepositoryOptions,
  UpsertOptions,
  VersionName,
  VersionOptions,
  WhereOptions,
} from './database/repository-options.ts'
export { transaction, type WithDatabase, withDb } from './database/steps.ts'
export type { ColumnName, IdOf, InsertOf, KeyName, PatchOf, RowOf, TableOf } from './database/table.ts'
export type { TransactionOptions } from './database/transaction-options.ts'
export { unixTimestamp } from './database/unix-timestamp.ts'
export { serializers as driverSerializers } from './database/values/parameters.ts'
