import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ProjectError } from './project-error.ts'

const defaults = {
  /** What routes, manifest, doctor and migrate import. */
  tools: 'src/twinwire.ts',
  pkgIds: 'src/pkg-ids.ts',
  /** A folder for each feature. */
  features: 'src/features',
  /** Routes and events of all features. */
  featureList: 'src/features.ts',
  /** The tables of drizzle. A project without a database has none. */
  schema: 'src/schema.ts',
  /** `defineRoles([…])`. A project without users has none. */
  roles: 'src/roles.ts',
  plugins: 'src/plugins',
  /** Of drizzle-kit. */
  migrations: 'drizzle',
} as const

type SettingName = keyof typeof defaults

export interface Project {
  /** The folder of its package.json, absolute. */
  readonly root: string
  /** Paths from there, with `/`. */
  readonly paths: Readonly<Record<SettingName, string>>
}

export const settingsFile = 'twinwire.json'

/** `folder`: that of the project; default the nearest one with a package.json. Throws a ProjectError. */
export function openProject(folder: string | undefined, cwd: string = process.cwd()): Project {
  const root = folder === undefined ? findRoot(cwd) : resolve(cwd, folder)
  if (!existsSync(join(root, 'package.json')))
    throw new ProjectError(`${root} has no package.json: name the folder of the project with --project`)
  return { root, paths: { ...defaults, ...readSettings(root) } }
}

function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (dirname(folder) === folder)
      throw new ProjectError(`neither ${from} nor a folder above it has a package.json: name it with --project`)
  }
}

function readSettings(root: string): Partial<Record<SettingName, string>> {
  const file = join(root, settingsFile)
  if (!existsSync(file) || !statSync(file).isFile()) return {}
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ProjectError(`${settingsFile} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new ProjectError(`${settingsFile} must be an object: { "tools": "${defaults.tools}" }`)
  const settings: Partial<Record<SettingName, string>> = {}
  for (const [name, path] of Object.entries(content)) {
    if (!isSetting(name))
      throw new ProjectError(
        `${settingsFile} has an unknown key ${JSON.stringify(name)}: the keys are ${Object.keys(defaults).join(', ')}`,
      )
    settings[name] = checkPath(name, path)
  }
  return settings
}

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(defaults, name)
}

function checkPath(name: SettingName, path: unknown): string {
  const isRelative =
    typeof path === 'string' && /^[^\\:*?"<>|]+$/.test(path) && !path.startsWith('/') && !path.split('/').includes('..')
  if (!isRelative)
    throw new ProjectError(
      `${settingsFile}: ${name} must be a path within the project such as ${defaults[name]}, not ${JSON.stringify(path)}`,
    )
  return path.replace(/^(\.\/)+/, '').replace(/\/+$/, '')
}
