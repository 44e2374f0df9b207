import { defineConfig } from 'tsup'

// Declarations are the slow part of a build: `npm start` leaves them out, and leaves those that are there alone.
const declarations = process.env.TWINWIRE_BUILD_DTS !== 'off'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'database/index': 'src/database/index.ts',
    'database/valibot/index': 'src/database/valibot/index.ts',
    'testing/index': 'src/testing/index.ts',
  },
  format: ['esm'],
  target: 'node20',
  // Shared chunks: a class exists once, whichever subpath it is imported from.
  splitting: true,
  treeshake: true,
  sourcemap: true,
  dts: declarations,
  clean: declarations ? true : ['!**/*.d.ts'],
})
