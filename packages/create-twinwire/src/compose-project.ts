import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ProjectOptions } from './options.ts'
import { type Fragment, mergeFragments, readFragment, type Versions, versionOf } from './package-json.ts'
import { pieces, wordsOf } from './pieces.ts'
import { fillTemplate, isTrue } from './template.ts'

// `src` and `dist` are siblings.
const templates = fileURLToPath(new URL('../templates', import.meta.url))

/** The files of a project by path, with `/`. Reads the templates, and writes nothing. */
export function composeProject(name: string, options: ProjectOptions, versions: Versions): ReadonlyMap<string, string> {
  const words = wordsOf(name, options, versionOf('pnpm', versions))
  const files = new Map<string, string>()
  const fragments: Fragment[] = []
  for (const [folder] of pieces.filter(([, condition]) => isTrue(condition, words))) {
    for (const file of filesIn(`${templates}/${folder}`)) {
      const text = readFileSync(`${templates}/${folder}/${file}`, 'utf8')
      if (file === 'package.json') {
        fragments.push(readFragment(`${folder}/${file}`, text))
        continue
      }
      const path = toPath(file)
      if (files.has(path)) throw new Error(`${path} is in two folders of templates: ${folder} and one before it`)
      files.set(path, fillTemplate(`${folder}/${file}`, text, words))
    }
  }
  files.set('package.json', mergeFragments(name, fragments, versions))
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** npm leaves files such as `.gitignore` out of packages, so here they begin with `dot_`. */
function toPath(file: string): string {
  return file.replace(/(^|\/)dot_/g, '$1.')
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(`${folder}/${entry.name}`).map((file) => `${entry.name}/${file}`) : [entry.name],
  )
}
