// The pages of docs_site/tutorial, and the folders of examples/tutorial that they build.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))
export const tutorial: string = join(root, 'examples/tutorial')
const pages = join(root, 'docs_site/tutorial')

/** Names of the steps, which are those of their folders and pages: `1-routes`, in order. */
export const steps: readonly string[] = readdirSync(tutorial)
  .filter((name) => /^\d-/.test(name) && existsSync(join(tutorial, name, 'package.json')))
  .sort()

export const pageNames: readonly string[] = readdirSync(pages)
  .filter((name) => name.endsWith('.md'))
  .map((name) => name.slice(0, -'.md'.length))
  .sort()

/** A block of a page, in order. */
export type Block =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'commands'; readonly lines: readonly string[] }
  /** What the commands before it print. Of `http` and `console` each line occurs, in this order; of others all is there. */
  | { readonly kind: 'output'; readonly language: string; readonly text: string }

/**
 * A file of TypeScript begins with `// name`; others have a line `` `name`: `` before them. `sh` are commands; any other block is what the commands
 * before it print.
 */
export function readPage(step: string): readonly Block[] {
  const markdown = readFileSync(join(pages, `${step}.md`), 'utf8')
  return [...markdown.matchAll(/(?:^`([\w./-]+)`:\n\n)?^```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ([, before, language = '', text = '']): Block => {
      if (before !== undefined) return { kind: 'file', name: before, text }
      if (language === 'sh') return { kind: 'commands', lines: toCommands(text) }
      const [, name] = /^\/\/ (\S+)\n/.exec(text) ?? []
      if (/^(?:tsx?|js)$/.test(language)) {
        if (name === undefined) throw new Error(`A block of ${step} has no name: ${text.slice(0, 80)}`)
        return { kind: 'file', name, text: text.slice(text.indexOf('\n') + 1) }
      }
      return { kind: 'output', language, text: text.trimEnd() }
    },
  )
}

/** Without comments; a line that ends in a backslash goes on in the next one. */
function toCommands(text: string): readonly string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/\s+# .*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** Of a step, by path. Without what a command of the page writes, but for migrations. Each ends with a line break. */
export function readFolder(step: string): ReadonlyMap<string, string> {
  const folder = join(tutorial, step)
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((name) => !/(?:^|\/)(?:node_modules|dist|\.data)\//.test(name) && !isWritten(name))
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8').replace(/\n?$/, '\n')]))
}

/** By npm, drizzle-kit, twinwire, esbuild, or the issuer of development. */
function isWritten(name: string): boolean {
  return /^(?:package\.json|drizzle\/meta\/.*|web\/manifest\.json|public\/page\.js(?:\.map)?|\.issuer-keys\.json|.*\.tsbuildinfo)$/.test(
    name,
  )
}

interface PackageJson {
  readonly type?: string
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export function readPackage(step: string): PackageJson {
  return JSON.parse(readFileSync(join(tutorial, step, 'package.json'), 'utf8')) as PackageJson
}

/** What the commands of all pages up to this one make of a package: names of dependencies, with the versions that they ask for. */
export function packageOf(step: string): Required<PackageJson> {
  const made = { type: 'commonjs', scripts: {}, dependencies: {}, devDependencies: {} } as {
    type: string
    scripts: Record<string, string>
    dependencies: Record<string, string>
    devDependencies: Record<string, string>
  }
  for (const each of steps.slice(0, steps.indexOf(step) + 1))
    for (const line of commandsOf(each)) {
      const [, dev, names] = /^npm install (--save-dev )?(.+)$/.exec(line) ?? []
      if (names !== undefined)
        for (const wanted of names.split(' ')) {
          const [, name = '', version = ''] = /^(@?[^@]+)(?:@(.+))?$/.exec(wanted) ?? []
          made[dev === undefined ? 'dependencies' : 'devDependencies'][name] = version
        }
      const [, settings] = /^npm pkg set (.+)$/.exec(line) ?? []
      for (const [, key = '', quoted, plain = ''] of settings?.matchAll(/([\w.:-]+)=(?:'([^']*)'|(\S+))/g) ?? [])
        if (key === 'type') made.type = quoted ?? plain
        else made.scripts[key.replace(/^scripts\./, '')] = quoted ?? plain
    }
  return made
}

export function commandsOf(step: string): readonly string[] {
  return readPage(step).flatMap((block) => (block.kind === 'commands' ? block.lines : []))
}
