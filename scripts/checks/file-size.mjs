// No source file has more than 300 lines, comments and blank lines included.
import process from 'node:process'
import { sourceFiles } from '../lib/typescript-files.mjs'

const maxLines = 300

const sizes = sourceFiles().map(({ path, source }) => ({ path, lines: source.text.trimEnd().split('\n').length }))
const over = sizes.filter(({ lines }) => lines > maxLines)
for (const { path, lines } of over)
  console.error(`${path}: ${lines} lines, the maximum is ${maxLines}: split it by concern`)
const largest = sizes.reduce((one, other) => (other.lines > one.lines ? other : one))
console.log(
  `files: ${sizes.length} sources, ${over.length} too long; the longest is ${largest.path} with ${largest.lines}`,
)
process.exitCode = over.length === 0 ? 0 : 1
