import { defineConfig } from 'vitest/config'

// The tests of all steps, on the sources of the packages. In a step itself `npm test` takes what is installed.
const conditions = ['@twinwire/source', 'node']

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { include: ['*/src/**/*.test.ts'], pool: 'forks', maxWorkers: 2, hookTimeout: 60_000, testTimeout: 30_000 },
})
