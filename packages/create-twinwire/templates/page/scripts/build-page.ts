// Bundles web/page.ts for browsers, into the folder that the application serves.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const inProject = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

await build({
  entryPoints: [inProject('web/page.ts')],
  outdir: inProject('public'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
})
