import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { main: 'src/main.ts', twinwire: 'src/twinwire.ts' },
  format: ['esm'],
  target: 'node20',
  sourcemap: true,
  clean: true,
  dts: false,
})
