// Titles of tests that end with `[defect 17]`, or with several of these.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
const isTestFile = /\.(test|test-d|suite)\.ts$/
const notOurs = new Set(['node_modules', 'hosts', 'peers', 'dist'])
const atTheEnd = /((?: \[defect \d+\])+)$/
const meant = /\[defect/gi

/** Files with tests of the repository, as paths from its root. */
export function testFiles() {
  const folders = ['packages', 'examples', 'tests'].map((each) => join(root, each))
  return folders.flatMap(filesIn).sort()
}

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : filesIn(path)
    return isTestFile.test(entry.name) ? [relative(root, path).split(sep).join('/')] : []
  })
}

/**
 * @param {string} path from the root of the repository, or absolute
 * @returns {{ titles: { number: number, path: string, title: string }[], problems: string[] }}
 */
export function readTitles(path) {
  const text = readFileSync(path.startsWith('/') ? path : join(root, path), 'utf8')
  const titles = []
  const problems = []
  const places = [...text.matchAll(meant)].map(({ index }) => index)
  if (places.length === 0) return { titles, problems }
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const lineOf = (index) => source.getLineAndCharacterOfPosition(index).line + 1
  const read = new Set()
  const visit = (node) => {
    const title = ts.isCallExpression(node) ? titleOf(node) : null
    if (title !== null) {
      const [numbers] = atTheEnd.exec(title) ?? []
      if (numbers !== undefined) {
        const [argument] = node.arguments
        for (const place of places) if (argument.getStart() < place && place < argument.getEnd()) read.add(place)
        if (/\.(skip|todo|fails)\b/.test(node.expression.getText()))
          problems.push(`${path}:${lineOf(node.getStart())}: a test that is not run, or fails, shows no defect`)
        for (const [, number] of numbers.matchAll(/(\d+)/g))
          titles.push({ number: Number(number), path, title: title.slice(0, -numbers.length) })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  for (const place of places)
    if (!read.has(place))
      problems.push(
        `${path}:${lineOf(place)}: write [defect 17], or several of these, at the end of the title of a test`,
      )
  return { titles, problems }
}

/** The title of `it('…')`, `test.each([…])('…')` and so on, as it is in the source; null for other calls. */
function titleOf(call) {
  const [title] = call.arguments
  if (title === undefined || !(ts.isStringLiteralLike(title) || ts.isTemplateExpression(title))) return null
  let callee = call.expression
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression
  if (!ts.isIdentifier(callee) || !['it', 'test'].includes(callee.text)) return null
  return ts.isStringLiteralLike(title) ? title.text : title.getText().slice(1, -1)
}
