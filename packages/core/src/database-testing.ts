/**
 * Databases for tests.
 *
 * @packageDocumentation
 */
export { createSimulatedDatabase, type SimulatedDatabase } from './database/testing/simulation/simulated-database.ts'
export { type DatabaseDriverSubject, databaseDriverSuite } from './database/testing/suites/driver.suite.ts'
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from './database/testing/test-database.ts'
