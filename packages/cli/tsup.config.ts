import { defineConfig } from 'tsup'

/** Programs, not a library: no declarations, and each command is a file that is loaded when it is called. */
export default defineConfig({
  // The second one imports the app of a project, in a process of its own.
  entry: { main: 'src/main.ts', 'app-process': 'src/project/app-process.ts' },
  target: 'node20',
  format: ['esm'],
  splitting: true,
  treeshake: true,
  sourcemap: true,
  clean: true,
})
