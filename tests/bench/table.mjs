// npm run bench:table -- out.json: writes the table in docs_site/performance.md from what `npm run bench -- --all --json out.json` has measured.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { cpuFigures } from './lib/report.mjs'
import { rows } from './lib/rows.mjs'
import { summarize } from './lib/statistics.mjs'

const page = fileURLToPath(new URL('../../docs_site/performance.md', import.meta.url))
const [begin, end] = ['<!-- bench:begin -->', '<!-- bench:end -->']

const [file] = process.argv.slice(2)
if (file === undefined) fail('Name the file that npm run bench -- --all --json <file> has written')
const results = JSON.parse(readFileSync(file, 'utf8'))
const measured = rows.filter(({ id }) => results[id] !== undefined)
const missing = rows.filter(({ id }) => results[id] === undefined)
if (measured.length === 0) fail(`${file} has no row of the table: measure with npm run bench -- --all --json ${file}`)

const figuresOf = new Map()
for (const { id, workload: name } of measured) {
  const { workload } = await import(`./workloads/${name}.mjs`)
  figuresOf.set(id, workload.figures ?? cpuFigures)
}

const text = readFileSync(page, 'utf8')
const [from, to] = [text.indexOf(begin), text.indexOf(end)]
if (from === -1 || to < from) fail(`${page} lacks the lines ${begin} and ${end}`)
writeFileSync(page, `${text.slice(0, from + begin.length)}\n${toBlock()}\n${text.slice(to)}`)
console.log(`${measured.length} rows written to ${page}`)
for (const { id, title } of missing) console.log(`not measured: ${id}, ${title}`)

function toBlock() {
  return [
    ...describeMachines(),
    '',
    '| workload | server | median | min | max | in absolute terms | target |',
    '|---|---|---|---|---|---|---|',
    ...measured.flatMap(toLines),
    '',
    'To repeat a row, after `npm run build` and `npm --prefix tests/bench/peers install --ignore-scripts`:',
    '',
    '```sh',
    ...new Set(measured.map(({ id }) => results[id].command)),
    '```',
  ]
    .join('\n')
    .trim()
}

/** One line for each machine and day: rows may be measured again one by one. */
function describeMachines() {
  const lines = measured.map(({ id }) => {
    const { machine, date, options } = results[id]
    const { cpu, cores, os, node, packages, pinned } = machine
    const where = `${cpu}, ${cores} cores, ${os}, Node.js ${node}, uWebSockets.js ${packages['uWebSockets.js']}`
    return `${date.slice(0, 10)}, ${where}${pinned ? '' : ', not pinned to cores'}; ${options.rounds} rounds`
  })
  return [...new Set(lines)].map((line) => `- ${line}`)
}

/** The lines of a row: the server that is compared with, then the others. */
function toLines({ id, title, figure: key, absolute = false, atLeast = false, targets = {}, against }) {
  const { summary, rounds } = results[id]
  const figures = figuresOf.get(id)
  const figure = key === undefined ? figures[0] : figures.find((each) => each.key === key)
  const lines = summary.map((server) => {
    const values = server[figure.key]
    const spread = [values.min, values.max].map((value) => format(value, figure)).join(' to ')
    const inUnits = `${format(values.median, figure)} ${figure.unit} (${spread})`
    const target = targets[server.name]
    const unit = absolute ? ` ${figure.unit}` : ''
    const value = absolute ? values.median : server.ratio.median
    return [
      server.name,
      ...(key === undefined ? toCells(server.ratio) : ['', '', '']),
      inUnits,
      toGoal(value, target, unit, atLeast),
    ]
  })
  if (against !== undefined) {
    const ratios = rounds.map((round) => round.twinwire[figure.key] / round[against.server][figure.key])
    const ratio = summarize(ratios)
    lines.push([`twinwire against ${against.server}`, ...toCells(ratio), '', toGoal(ratio.median, against.target, '')])
  }
  return lines.map((cells, index) => `| ${[index === 0 ? title : '', ...cells].join(' | ')} |`)
}

function toCells({ median, min, max }) {
  return [median, min, max].map((ratio) => ratio.toFixed(2))
}

function toGoal(value, target, unit, atLeast = false) {
  if (target === undefined) return ''
  const goal = unit === '' ? target.toFixed(2) : `${target}${unit}`
  const reached = atLeast ? value >= target : value <= target
  return `${atLeast ? 'at least' : 'at most'} ${goal}: ${reached ? 'reached' : '**not reached**'}`
}

function format(value, { digits }) {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
