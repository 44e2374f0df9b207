import { compareNaturally, compareSources } from './natural-order.ts'

/** The module, and what of it: `type Note`, or one `* as v`. */
export type Import = readonly [from: string, ...names: readonly string[]]

/** Lines of imports in their order. Names of one module are merged; an empty list of names is left out. */
export function writeImports(imports: readonly Import[]): string {
  const byModule = new Map<string, Set<string>>()
  for (const [from, ...names] of imports) {
    const all = byModule.get(from) ?? new Set()
    for (const name of names) all.add(name)
    byModule.set(from, all)
  }
  return [...byModule]
    .filter(([, names]) => names.size > 0)
    .toSorted(([a], [b]) => compareSources(a, b))
    .map(([from, names]) => writeImport(from, [...names]))
    .join('')
}

const bare = (name: string): string => name.replace(/^type /, '')

function writeImport(from: string, names: readonly string[]): string {
  if (names.some((name) => name.startsWith('*'))) return `import ${names.join(', ')} from '${from}'\n`
  const sorted = names.toSorted((a, b) => compareNaturally(bare(a), bare(b)))
  const areTypes = sorted.every((name) => name.startsWith('type '))
  const [word, list] = areTypes ? ['import type', sorted.map(bare)] : ['import', sorted]
  const line = `${word} { ${list.join(', ')} } from '${from}'\n`
  return line.length <= 121 ? line : `${word} {\n${list.map((name) => `  ${name},\n`).join('')}} from '${from}'\n`
}
