import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { definePackage } from '../../tsup.package.ts'

// The pages beside the code: the code serves them.
execFileSync(process.execPath, ['build-pages.mjs'], { stdio: 'inherit' })

export default definePackage({ index: 'src/index.ts' })
