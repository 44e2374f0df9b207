import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { summarize } from './statistics.mjs'

/** What the numbers were taken on. */
export function describeMachine(pins) {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.cpus().length,
    loadAverage: os.loadavg()[0],
    pinned: pins !== null,
    os: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    packages: Object.fromEntries(
      ['@twinwire/core', 'uWebSockets.js', 'valibot'].map((name) => [name, versionOf(name)]),
    ),
  }
}

/**
 * What is measured. The first figure of a workload is the one that is compared.
 *
 * @typedef {{ key: string, title: string, unit: string, digits: number }} Figure
 *
 * @type {readonly Figure[]}
 */
export const cpuFigures = [
  { key: 'micros', title: 'server CPU per message', unit: 'us', digits: 2 },
  { key: 'perSecond', title: 'messages per second', unit: '/s', digits: 0 },
]

/**
 * Medians and spread of each server, and of its ratio to the server `base`, round by round.
 *
 * @param {Map<string, Record<string, number>>[]} rounds
 * @param {string} base
 */
export function summarizeRounds(rounds, base, figures = cpuFigures) {
  const [{ key: compared }] = figures
  return [...rounds[0].keys()].map((name) => ({
    name,
    ...Object.fromEntries(figures.map(({ key }) => [key, summarize(rounds.map((samples) => samples.get(name)[key]))])),
    ratio: summarize(rounds.map((samples) => samples.get(name)[compared] / samples.get(base)[compared])),
  }))
}

export function printMachine({ cpu, cores, loadAverage, pinned, os: system, node, packages }) {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  console.log(`${cpu}, ${cores} cores, load ${loadAverage.toFixed(1)}; ${system}; Node.js ${node}`)
  console.log(versions.join(', '))
  if (!pinned) console.log('NOT pinned to cores: no taskset, or fewer than two cores')
}

export function printRound(round, samples, figures = cpuFigures) {
  const parts = [...samples].map(
    ([name, sample]) =>
      `${name} ${figures.map(({ key, unit, digits }) => `${sample[key].toFixed(digits)} ${unit}`).join(', ')}`,
  )
  console.log(`round ${String(round + 1).padStart(2)}  ${parts.join('; ')}`)
}

export function printSummary(rows, figures = cpuFigures) {
  const cell = ({ median, min, max }, digits) =>
    `${median.toFixed(digits)} (${min.toFixed(digits)}..${max.toFixed(digits)})`
  for (const { key, title, unit, digits } of figures) {
    console.log(`\n${title}, median (min..max of the rounds)`)
    for (const row of rows) {
      const ratio = key === figures[0].key ? `ratio ${cell(row.ratio, 2)}` : ''
      console.log(`${row.name.padEnd(12)} ${cell(row[key], digits).padEnd(26)} ${unit.padEnd(6)} ${ratio}`)
    }
  }
}

/** As core sees it: the servers run on what core resolves. */
function versionOf(name) {
  const fromHere = createRequire(import.meta.url)
  const core = dirname(fromHere.resolve('@twinwire/core/package.json'))
  const folder = name === '@twinwire/core' ? core : join(core, 'node_modules', name)
  const file = join(folder, 'package.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : 'unknown'
}
