// Writes docs_site/reference-defects.md from scripts/lib/reference-defects.mjs and the titles of tests that end with `[defect 17]`.
// With --check it writes nothing, and exits with 1 if the page differs. In both cases it exits with 1 for a title with a number that
// is unknown, and for a defect with neither a test nor a reason, or with both. Files that are named are read in addition to the tests.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { readTitles, testFiles } from './lib/defect-titles.mjs'
import { referenceDefects } from './lib/reference-defects.mjs'

const page = new URL('../docs_site/reference-defects.md', import.meta.url)
const given = process.argv.slice(2).filter((each) => !each.startsWith('--'))

const read = [...testFiles(), ...given].map(readTitles)
const titles = read.flatMap((each) => each.titles)
const testsOf = (number) => titles.filter((each) => each.number === number)
const known = new Set(referenceDefects.map(({ number }) => number))

const problems = [
  ...read.flatMap((each) => each.problems),
  ...titles
    .filter(({ number }) => !known.has(number))
    .map(({ path, title, number }) => `${path}: "${title}" has the number ${number}, which no defect has`),
  ...referenceDefects.flatMap(({ number, reason }) => {
    const count = testsOf(number).length
    if (count === 0 && reason === undefined)
      return [`Defect ${number} has no test: write [defect ${number}] at the end of the title of the one that shows it`]
    return count > 0 && reason !== undefined ? [`Defect ${number} has tests, so it needs no reason`] : []
  }),
]
for (const each of problems) console.error(each)

const parts = [...new Set(referenceDefects.map(({ part }) => part))]
const withTests = referenceDefects.filter(({ reason }) => reason === undefined)
const text = `# What the reference system does wrong

<!-- Written by \`npm run defects-table\`, from scripts/lib/reference-defects.mjs and the titles of tests: change those. -->

A review of the reference system, whose protocol Twinwire speaks, found ${referenceDefects.length} defects. Each that concerns a part of Twinwire has tests whose titles
have its number: ${withTests.length} have one or more, ${referenceDefects.length - withTests.length} have a reason why there is none. Some tests need services and are
skipped where those are missing; CI runs all of them.
${parts.map(sectionOf).join('')}`

if (problems.length > 0) process.exitCode = 1
else if (!process.argv.includes('--check')) writeFileSync(page, text)
else if (readPage() !== text) {
  console.error('docs_site/reference-defects.md does not match the titles of tests: run npm run defects-table')
  process.exitCode = 1
}
console.log(`defects: ${referenceDefects.length}, ${titles.length} titles of tests, ${problems.length} problems`)

function readPage() {
  try {
    return readFileSync(page, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return ''
    throw error
  }
}

function sectionOf(part) {
  const rows = referenceDefects.filter((each) => each.part === part).map(rowOf)
  return `\n## ${part}\n\n| | the reference | Twinwire | shown by |\n|--:|---|---|---|\n${rows.join('')}`
}

function rowOf({ number, reference, twinwire, reason }) {
  if (reason !== undefined) return `| ${number} | ${escapeCell(reference)} | – | no test: ${escapeCell(reason)} |\n`
  const tests = testsOf(number).map(({ path, title }) => `\`${path}\`: ${escapeTitle(title)}`)
  return `| ${number} | ${escapeCell(reference)} | ${escapeCell(twinwire)} | ${tests.join('<br>')} |\n`
}

function escapeCell(cell) {
  return cell.replaceAll('|', '\\|')
}

/** Titles are plain text, and the page is Markdown. */
function escapeTitle(title) {
  return title.replace(/[\\`*_<>|[\]~]/g, '\\$&')
}
