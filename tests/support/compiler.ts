// A TypeScript program of one source in memory, for tests of what the compiler and an editor say about it.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const folder = join(dirname(fileURLToPath(import.meta.url)), '../integration')

export interface Compiled {
  /** Messages of the compiler, each with what it explains below it. */
  readonly errors: readonly string[]
  /** What an editor shows for the first occurrence of `name` in the source. */
  hover(name: string): string
}

/** Compiles `source` as a file of `tests/integration`, with the options of the workspace. */
export function compile(source: string): Compiled {
  const path = join(folder, 'in-memory.ts')
  const config = ts.readConfigFile(join(folder, '../../tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, folder)
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => ({ ...options, noUnusedLocals: false, noUnusedParameters: false }),
    getScriptFileNames: () => [path],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => {
      const text = name === path ? source : ts.sys.readFile(name)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => name === path || ts.sys.fileExists(name),
    readFile: ts.sys.readFile,
    // Packages are symbolic links: without it each link would be another copy of their types.
    ...(ts.sys.realpath === undefined ? {} : { realpath: ts.sys.realpath }),
  }
  const service = ts.createLanguageService(host)
  return {
    errors: service
      .getSemanticDiagnostics(path)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    hover: (name) => {
      const info = service.getQuickInfoAtPosition(path, source.indexOf(name))
      return ts.displayPartsToString(info?.displayParts)
    },
  }
}
