import { defineConfig } from 'vitest/config'

// Tests import the packages by name and get their TypeScript sources: no build is needed between an edit and a test.
// Beyond that the conditions are Node's own, so that a test resolves what an application resolves; vite's defaults
// ("module", "development") would also reach the worker's Node, and children that a test starts with its flags.
const conditions = ['@twinwire/source', 'node']

const propertySeed = './tests/support/property-seed.setup.ts'
// Test apps publish through Redis instead of in memory: `npm run test:broker`.
const setupFiles =
  process.env.TEST_BROKER === 'redis' ? [propertySeed, './tests/support/redis-broker.setup.ts'] : [propertySeed]

// A machine-readable report in addition to the printed one; .ci/run counts the results.
const jsonReport = process.env.VITEST_JSON_OUTPUT_FILE

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    reporters: jsonReport ? ['default', ['json', { outputFile: jsonReport }]] : ['default'],
    // Processes, not threads: the native WebSocket server is loaded once per process, and a test may end its process.
    pool: 'forks',
    maxWorkers: 2,
    // A second, the default, is not enough for what waits on a server or another process of a busy machine.
    expect: { poll: { timeout: 15_000 } },
    // The default, written down because the project relies on it: an unhandled rejection fails the run.
    dangerouslyIgnoreUnhandledErrors: false,
    // The pages that plugin-openapi and the example serve are built files.
    globalSetup: ['./tests/support/build-pages.setup.ts'],
    // For `npm run test:coverage`, which says of which package.
    coverage: {
      provider: 'v8',
      reporter: ['json-summary', 'html'],
      exclude: [
        '**/*.{test,test-d,suite,fixtures}.ts',
        '**/*-fixture.ts',
        '**/*.generated.ts',
        // V8 counts in the process of the test, and these run in Chromium: pages (tests/integration/console.test.ts and its
        // siblings), and the hooks for React (tests/integration/client-react.test.ts).
        'packages/plugin-openapi/src/pages/*/page.ts',
        'packages/plugin-openapi/src/pages/program/{program.ts,view/**}',
        'packages/plugin-openapi/src/pages/program/form/{build-field,checkbox,field,group-fields,input-form,simple-fields}.ts',
        'packages/plugin-openapi/src/pages/program/session/{calls,development-users,emitter,recording,session,topics}.ts',
        'packages/plugin-openapi/src/pages/program/model/documents.ts',
        'packages/client/src/{react.ts,react/**}',
        // In a terminal of a process of its own.
        'packages/create-twinwire/src/{main,questions}.ts',
      ],
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          setupFiles,
          // Property tests and first imports take their time on a busy machine; what hangs is found all the same.
          testTimeout: 20_000,
          include: ['packages/*/src/**/*.test.ts', 'examples/*/src/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          setupFiles: [propertySeed],
          include: ['tests/integration/**/*.test.ts', 'tests/chaos/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            checker: 'tsc',
            tsconfig: './tests/types/tsconfig.json',
            include: ['packages/*/src/**/*.test-d.ts', 'tests/types/**/*.test-d.ts'],
          },
        },
      },
    ],
  },
})
