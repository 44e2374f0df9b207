// Counts what turns the type checker off: casts (`as`, but `as const`), `any` and `@ts-expect-error` in the sources. The
// totals of casts.json may only fall. `npm run check:casts -- --update` writes smaller ones.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { sourceFiles, visitNodes } from '../lib/typescript-files.mjs'

const file = fileURLToPath(new URL('casts.json', import.meta.url))
const kinds = ['casts', 'any', 'expectedErrors']

const before = JSON.parse(readFileSync(file, 'utf8'))
const now = {}
for (const { path, source } of sourceFiles()) {
  const counts = count(source)
  if (kinds.some((kind) => counts[kind] > 0)) now[path] = counts
}

let grew = false
let fell = false
for (const kind of kinds) {
  const [from, to] = [sum(before, kind), sum(now, kind)]
  console.log(`casts: ${kind}: ${to} (${from} in casts.json)`)
  if (to < from) fell = true
  if (to <= from) continue
  grew = true
  for (const [path, { [kind]: here }] of Object.entries(now)) {
    const there = before[path]?.[kind] ?? 0
    if (here > there) console.error(`  ${path}: ${there} before, ${here} now`)
  }
}
if (grew) console.error('casts: there are more than before. Find a type that needs no cast.')
else if (process.argv.includes('--update')) writeFileSync(file, `${JSON.stringify(now, null, 2)}\n`)
else if (fell) console.log('casts: there are fewer than before: keep that with `npm run check:casts -- --update`')
process.exitCode = grew ? 1 : 0

function count(source) {
  const counts = {
    casts: 0,
    any: 0,
    expectedErrors: source.text.match(/@ts-(expect-error|ignore|nocheck)/g)?.length ?? 0,
  }
  visitNodes(source, (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) counts.any += 1
    if (ts.isTypeAssertionExpression(node) || (ts.isAsExpression(node) && !ts.isConstTypeReference(node.type)))
      counts.casts += 1
  })
  return counts
}

function sum(files, kind) {
  return Object.values(files).reduce((total, counts) => total + counts[kind], 0)
}
