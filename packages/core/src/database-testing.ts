export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from './database/testing/test-database.ts'
