// `npm run manifest` writes ../manifest.json, which clients import; with `-- --check` it fails when the file differs from the app.
import { readFile, writeFile } from 'node:fs/promises'
import { readReadyApp } from './ready-app.ts'

const file = new URL('../manifest.json', import.meta.url)

async function main(): Promise<void> {
  const manifest = await readReadyApp((app) => app.manifest())
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  if (!process.argv.includes('--check')) return writeFile(file, text)
  if ((await readFile(file, 'utf8')) === text) return
  console.error('manifest.json is not that of the app: run `npm run manifest`')
  process.exitCode = 1
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
