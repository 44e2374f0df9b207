import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * The same server in another checkout, with the packages of that checkout. One that it does not have yet is copied from here, beside a
 * link to its packages.
 *
 * @param {{ file: URL, env?: Record<string, string> }} server
 * @param {string} folder of the other checkout, built
 */
export function toBaseline({ file, env }, folder) {
  const checkout = resolve(folder)
  const path = relative(root, fileURLToPath(file))
  const own = join(checkout, path)
  return existsSync(own) ? { name: 'baseline', file: pathToFileURL(own), env } : copyServer({ file, env }, folder)
}

/** This checkout's file of a server, with the packages of another one: the two differ by their packages alone. */
export function copyServer({ file, env }, folder) {
  const checkout = resolve(folder)
  const path = relative(root, fileURLToPath(file))
  const place = mkdtempSync(join(tmpdir(), 'twinwire-bench-'))
  process.on('exit', () => rmSync(place, { recursive: true, force: true }))
  for (const part of ['servers', 'lib']) {
    cpSync(join(root, 'tests/bench', part), join(place, 'tests/bench', part), { recursive: true })
  }
  symlinkSync(join(checkout, 'tests/node_modules'), join(place, 'tests/node_modules'))
  return { name: 'baseline', file: pathToFileURL(join(place, path)), env }
}
