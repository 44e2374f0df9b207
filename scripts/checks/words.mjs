// The words of the project: sources, tests and pages use those of CONTRIBUTING.md ("Words"), and none that words.json lists
// under `not`. A listed word is found in prose, in strings, in identifiers (split by case) and in file names;
// in Markdown what is ~~struck through~~ is not checked. `npm run check:words -- --counts` prints counts per directory,
// `npm run check:words -- FILE…` checks these files only.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const listFile = 'scripts/checks/words.json'
const checked = /\.(ts|mjs|cjs|js|md|ya?ml|json|sh|sql|txt)$|^\.(ci|githooks)\//
const unchecked = /(^|\/)pnpm-lock\.yaml$|\/drizzle\/meta\//

const { rules, exceptions } = JSON.parse(readFileSync(join(root, listFile), 'utf8'))
const options = process.argv.slice(2).filter((each) => each.startsWith('--'))
const given = process.argv.slice(2).filter((each) => !each.startsWith('--'))
const paths = given.length > 0 ? given.map((each) => relative(root, resolve(each))) : filesOfTheRepository()
const used = new Set()

const wrong = paths.flatMap(bannedIn)
if (options.includes('--counts')) printCounts()
else for (const { path, line, found, say } of wrong) console.error(`${path}:${line}: "${found}": ${say}`)
const stale = given.length > 0 ? [] : exceptions.filter((each) => !used.has(each))
for (const { path, words } of stale) console.error(`${listFile}: the exception of ${path} (${words}) is not needed`)
console.log(`words: ${paths.length} files, ${wrong.length} banned words, ${exceptions.length} exceptions`)
process.exitCode = wrong.length + stale.length === 0 ? 0 : 1

function filesOfTheRepository() {
  return execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((path) => checked.test(path) && !unchecked.test(path) && path !== listFile)
    .filter((path) => existsSync(join(root, path)))
}

function bannedIn(path) {
  const text = readFileSync(join(root, path), 'utf8')
  const prose = path.endsWith('.md') ? text.replace(/~~.*?~~/g, '') : text
  return [...bannedWords(path, 0), ...bannedWords(prose, 1)]
    .filter(({ found }) => !isExcepted(path, found))
    .map((each) => ({ path, ...each }))
}

function isExcepted(path, found) {
  const allowing = exceptions.filter((each) => path.startsWith(each.path) && each.words.includes(found))
  for (const each of allowing) used.add(each)
  return allowing.length > 0
}

/** A rule has phrases under `not`: words between spaces, `|` between alternatives, `#` for a number; and longer ones that are right under `unless`. */
function bannedWords(text, firstLine) {
  const words = wordsOf(text, firstLine)
  return rules.flatMap(({ say, not, unless = [] }) => {
    const right = unless.flatMap((phrase) => matches(words, phrase))
    return not
      .flatMap((phrase) => matches(words, phrase))
      .filter(([from, to]) => !right.some(([first, last]) => first <= from && to <= last))
      .map(([from, to]) => ({ line: words[from].line, found: phraseOf(words.slice(from, to + 1)), say }))
  })
}

function phraseOf(words) {
  return words.map(({ word }) => word).join(' ')
}

/** First and last index of each place where the phrase is. */
function matches(words, phrase) {
  const parts = phrase.split(' ').map((part) => part.split('|'))
  const found = []
  for (let from = 0; from + parts.length <= words.length; from += 1) {
    const fits = parts.every((part, i) => {
      const { word, joined } = words[from + i]
      return (i === 0 || joined) && (part.includes(word) || (part.includes('#') && /^\d+$/.test(word)))
    })
    if (fits) found.push([from, from + parts.length - 1])
  }
  return found
}

/** Words in lower case. `joined`: nothing but space, a line of a comment or a part of an identifier comes before it. */
function wordsOf(text, firstLine) {
  const words = []
  let line = firstLine
  let end = 0
  for (const match of text.matchAll(/\d+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g)) {
    const between = text.slice(end, match.index)
    line += between.split('\n').length - 1
    words.push({ word: match[0].toLowerCase(), line, joined: /^[\s*/_\-'’`"]*$/.test(between) })
    end = match.index + match[0].length
  }
  return words
}

function printCounts() {
  const directory = (path) =>
    path
      .split('/')
      .slice(0, path.startsWith('packages/') ? 4 : 2)
      .join('/')
  for (const key of [({ path }) => directory(path), ({ found }) => found]) {
    const counts = new Map()
    for (const each of wrong) counts.set(key(each), (counts.get(key(each)) ?? 0) + 1)
    for (const [name, count] of [...counts].sort(([, one], [, other]) => other - one))
      console.log(`${String(count).padStart(5)}  ${name}`)
    console.log()
  }
}
