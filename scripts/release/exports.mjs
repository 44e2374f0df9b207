// Every name that a package exports, with its kind, read from the declarations that were built.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'

const kinds = [
  [ts.SymbolFlags.Class, 'class'],
  [ts.SymbolFlags.Function, 'function'],
  [ts.SymbolFlags.Variable, 'const'],
  [ts.SymbolFlags.Interface, 'interface'],
  [ts.SymbolFlags.TypeAlias, 'type'],
  [ts.SymbolFlags.Enum, 'enum'],
  [ts.SymbolFlags.Namespace, 'namespace'],
]

/**
 * @param {string} folder of a package that is built
 * @returns {Record<string, Record<string, string>>} by entry point: names with their kinds; `bin` has the commands
 */
export function readExports(folder) {
  const { name, exports, publishConfig, bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const found = Object.entries(publishConfig?.exports ?? exports)
  const typed = found
    .filter(([, target]) => typeof target === 'object')
    .map(([path, { types }]) => [path, join(folder, types)])
  const program = ts.createProgram(
    typed.map(([, file]) => file),
    { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext, skipLibCheck: true, types: [], noEmit: true },
  )
  const checker = program.getTypeChecker()
  const entries = Object.fromEntries(
    found.filter(([, target]) => typeof target === 'string').map(([path]) => [path, { file: 'file' }]),
  )
  for (const [path, file] of typed) {
    const source = program.getSourceFile(file)
    const module = source && checker.getSymbolAtLocation(source)
    if (!module) throw new Error(`${relative(folder, file)} of ${name} has no exports: is it built?`)
    const names = checker.getExportsOfModule(module).map((symbol) => [symbol.name, kindOf(symbol, checker, name)])
    entries[path] = Object.fromEntries(names.sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  if (bin) entries.bin = Object.fromEntries(Object.keys(bin).map((each) => [each, 'command']))
  return entries
}

function kindOf(symbol, checker, name) {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const found = kinds.filter(([flag]) => target.flags & flag).map(([, kind]) => kind)
  // A class is both a value and a type, and so is an interface with a const of its name.
  if (found.length === 0) throw new Error(`${symbol.name} of ${name} cannot be resolved`)
  return found.join(' and ')
}
