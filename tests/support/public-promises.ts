import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const packages = fileURLToPath(new URL('../../packages/', import.meta.url))

/**
 * The source files of entry points for servers. Those for tests are left out, since a test runner should see their failures, and the client,
 * which runs where nothing of core does: its promises are those of its caller.
 */
function findEntryPoints(): readonly string[] {
  const servers = readdirSync(packages).filter((name) => name !== 'client')
  return servers.flatMap((name) => {
    const { exports } = JSON.parse(readFileSync(`${packages}${name}/package.json`, 'utf8'))
    return Object.keys(exports)
      .filter((entry) => !/testing|\.(?:json|proto)$/.test(entry))
      .map((entry) => `${packages}${name}/${exports[entry]['@twinwire/source'].slice(2)}`)
  })
}

/**
 * Everything public that answers by a promise, by the compiler's word: `migrate`, `App.close`. What may answer by one (`T | Promise<T>`) is
 * among it.
 */
export function findPublicPromises(): readonly string[] {
  const entryPoints = findEntryPoints()
  const program = ts.createProgram([...entryPoints], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    customConditions: ['@twinwire/source'],
    types: ['node'],
  })
  const checker = program.getTypeChecker()
  const found = new Set<string>()
  for (const entryPoint of entryPoints) {
    const file = program.getSourceFile(entryPoint)
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file)
    if (file === undefined || module === undefined) throw new Error(`${entryPoint} exports nothing`)
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      const types = [
        ...(symbol.flags & ts.SymbolFlags.Type ? [checker.getDeclaredTypeOfSymbol(symbol)] : []),
        ...(symbol.flags & ts.SymbolFlags.Value ? [checker.getTypeOfSymbolAtLocation(symbol, file)] : []),
      ]
      for (const type of types) {
        if (answersByPromise(checker, type)) found.add(exported.name)
        for (const property of type.getProperties()) {
          const declaration = property.declarations?.[0]
          // What comes from the language or from a library is not ours.
          if (declaration?.getSourceFile().fileName.startsWith(packages) !== true) continue
          if (ts.isMethodDeclaration(declaration) && ts.isPrivateIdentifier(declaration.name)) continue
          if (answersByPromise(checker, checker.getTypeOfSymbolAtLocation(property, file)))
            found.add(`${exported.name}.${property.name}`)
        }
      }
    }
  }
  return [...found].toSorted()
}

function answersByPromise(checker: ts.TypeChecker, type: ts.Type): boolean {
  const parts = type.isUnion() ? type.types : [type]
  return parts.some((part) =>
    part.getCallSignatures().some((signature) => isPromise(checker.getReturnTypeOfSignature(signature))),
  )
}

function isPromise(type: ts.Type): boolean {
  if (type.isUnionOrIntersection()) return type.types.some(isPromise)
  return type.symbol?.name === 'Promise' || type.symbol?.name === 'PromiseLike'
}
