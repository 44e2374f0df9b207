/** By name of the package, what a project depends on. `pnpm` is the version of pnpm that images and CI use. */
export type Versions = Readonly<Record<string, string>>

/** The `package.json` of one folder of templates: dependencies are names, whose versions are those of the workspace. */
export interface Fragment {
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: readonly string[]
  readonly devDependencies: readonly string[]
  /** Everything else, as it is. */
  readonly more: Readonly<Record<string, unknown>>
}

export function readFragment(file: string, text: string): Fragment {
  const json: unknown = JSON.parse(text)
  if (!isRecord(json)) throw new Error(`${file}: is not an object`)
  const { scripts = {}, dependencies = [], devDependencies = [], ...more } = json
  if (!isRecord(scripts) || !isStrings(Object.values(scripts)))
    throw new Error(`${file}: scripts must be strings by name`)
  if (!isStrings(dependencies) || !isStrings(devDependencies))
    throw new Error(`${file}: dependencies must be lists of names`)
  return {
    scripts: Object.fromEntries(Object.entries(scripts).map(([name, script]) => [name, String(script)])),
    dependencies,
    devDependencies,
    more,
  }
}

/** Later fragments override scripts and other keys of earlier ones, and add dependencies. */
export function mergeFragments(name: string, fragments: readonly Fragment[], versions: Versions): string {
  const dependencies = new Set(fragments.flatMap((each) => each.dependencies))
  const devDependencies = fragments.flatMap((each) => each.devDependencies).filter((each) => !dependencies.has(each))
  const merged = {
    name,
    ...Object.assign({}, ...fragments.map(({ more }) => more)),
    scripts: Object.assign({}, ...fragments.map(({ scripts }) => scripts)),
    dependencies: withVersions([...dependencies], versions),
    devDependencies: withVersions(devDependencies, versions),
  }
  return `${JSON.stringify(merged, null, 2)}\n`
}

function withVersions(names: readonly string[], versions: Versions): Versions {
  return Object.fromEntries([...names].sort().map((name) => [name, versionOf(name, versions)]))
}

/** The file that the build writes. */
export function readVersions(text: string): Versions {
  const json: unknown = JSON.parse(text)
  if (!isRecord(json)) throw new Error('versions.json is not an object')
  return Object.fromEntries(Object.entries(json).map(([name, version]) => [name, String(version)]))
}

export function versionOf(name: string, versions: Versions): string {
  const version = versions[name]
  if (version === undefined)
    throw new Error(`There is no version of ${name}: the build of create-twinwire did not find it in the workspace`)
  return version
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}
