// The files that the checks of sources read: TypeScript of the packages and examples, without tests.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
const aTest = /\.(test|test-d|fixtures)\.ts$|-fixture\.ts$|\.generated\.ts$/

/** @returns {{ path: string, source: ts.SourceFile }[]} parsed, by path from the root of the repository */
export function sourceFiles() {
  return ['packages', 'examples', 'examples/tutorial']
    .flatMap((folder) => readdirSync(join(root, folder)).map((each) => join(root, folder, each, 'src')))
    .filter((folder) => existsSync(folder))
    .flatMap(filesIn)
    .filter((file) => file.endsWith('.ts') && !aTest.test(file))
    .map((file) => ({
      path: relative(root, file).split(sep).join('/'),
      source: ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true),
    }))
    .sort((one, other) => (one.path < other.path ? -1 : 1))
}

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesIn(path) : [path]
  })
}

/** Calls `visit` for each token and node below `node`, except comments. */
export function visitNodes(node, visit) {
  for (const child of node.getChildren()) {
    if (ts.isJSDoc(child)) continue
    visit(child)
    visitNodes(child, visit)
  }
}
