import { writeFileSync } from 'node:fs'
import { defineConfig } from 'tsup'
import { readBundledLicences } from './bundled-licences.ts'
import { readWorkspaceVersions } from './workspace-versions.ts'

/** A program, not a library: no declarations. What it asks with is in the bundle, so that `npm create` downloads one package. */
export default defineConfig({
  entry: { main: 'src/main.ts' },
  target: 'node20',
  format: ['esm'],
  noExternal: [/.*/],
  splitting: true,
  treeshake: true,
  clean: true,
  onSuccess: async () => {
    writeFileSync('dist/versions.json', JSON.stringify(readWorkspaceVersions(), null, 2))
    writeFileSync('dist/bundled-licences.txt', readBundledLicences())
  },
})
