import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    // The first start of an embedded database takes some seconds.
    testTimeout: 20_000,
  },
})
