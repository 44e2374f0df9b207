// The licences of what the build puts into `dist`: the development dependencies, and what these depend on.
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

/** One text for each package. Throws for a package that has no file of its licence. */
export function readBundledLicences(): string {
  const found = new Map<string, string>()
  const { devDependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
  for (const name of Object.keys(devDependencies)) add(name, join(here, 'node_modules'), found)
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `${name}\n\n${text.trim()}\n`)
    .join('\n')
}

/** `modules`: the folder that has the package. In the layout of pnpm it has its dependencies too, beside the real folder. */
function add(name: string, modules: string, found: Map<string, string>): void {
  if (found.has(name)) return
  const folder = realpathSync(join(modules, name))
  const file = readdirSync(folder).find((each) => /^licen[cs]e(\.\w+)?$/i.test(each))
  if (file === undefined) throw new Error(`${name} is in the bundle, and has no file of its licence`)
  found.set(name, readFileSync(join(folder, file), 'utf8'))
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const siblings = folder.slice(0, folder.length - name.length)
  for (const dependency of Object.keys(dependencies)) add(dependency, siblings, found)
}
