// No source file has more than 300 lines of code. A line counts when there is code on it: comments and blank lines are free.
import process from 'node:process'
import { sourceFiles, walk } from '../lib/typescript-files.mjs'

const maxLines = 300

const sizes = sourceFiles().map(({ path, source }) => ({ path, lines: linesOfCode(source) }))
const over = sizes.filter(({ lines }) => lines > maxLines)
for (const { path, lines } of over)
  console.error(`${path}: ${lines} lines of code, at most ${maxLines}: split it by concern`)
const largest = sizes.reduce((one, other) => (other.lines > one.lines ? other : one))
console.log(
  `files: ${sizes.length} sources, ${over.length} too long; the longest is ${largest.path} with ${largest.lines}`,
)
process.exitCode = over.length === 0 ? 0 : 1

function linesOfCode(source) {
  const lines = new Set()
  walk(source, (node) => {
    // A node with children is the sum of them.
    if (node.getChildCount() > 0 || node.getEnd() === node.getStart()) return
    const [first, last] = [node.getStart(), node.getEnd()].map((at) => source.getLineAndCharacterOfPosition(at).line)
    for (let line = first; line <= last; line += 1) lines.add(line)
  })
  return lines.size
}
