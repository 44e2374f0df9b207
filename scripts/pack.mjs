// `npm run pack:all -- <folder>` writes the packages as they would be published, as tarballs, and prints the commands to install them.
import { cpSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { packPackages } from './lib/pack-packages.mjs'

const [target = fileURLToPath(new URL('../tarballs', import.meta.url))] = process.argv.slice(2)
mkdirSync(target, { recursive: true })
for (const { name, tarball } of packPackages()) {
  const file = join(target, basename(tarball))
  cpSync(tarball, file)
  console.log(`${name}: npm install ${file}`)
}
