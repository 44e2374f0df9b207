import { defineConfig } from 'tsup'

/** A program, not a library: no declarations, and each command is a file that is loaded when it is called. */
export default defineConfig({
  entry: { main: 'src/main.ts' },
  target: 'node20',
  format: ['esm'],
  splitting: true,
  treeshake: true,
  sourcemap: true,
  clean: true,
})
