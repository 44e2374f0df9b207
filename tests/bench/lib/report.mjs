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
 * Medians and spread of each server, and of its ratio to the server `base`, round by round.
 *
 * @param {Map<string, import('./measure.mjs').Sample>[]} rounds
 * @param {string} base
 */
export function summarizeRounds(rounds, base) {
  return [...rounds[0].keys()].map((name) => ({
    name,
    micros: summarize(rounds.map((samples) => samples.get(name).micros)),
    perSecond: summarize(rounds.map((samples) => samples.get(name).perSecond)),
    ratio: summarize(rounds.map((samples) => samples.get(name).micros / samples.get(base).micros)),
  }))
}

export function printMachine({ cpu, cores, loadAverage, pinned, os: system, node, packages }) {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  console.log(`${cpu}, ${cores} cores, load ${loadAverage.toFixed(1)}; ${system}; Node.js ${node}`)
  console.log(versions.join(', '))
  if (!pinned) console.log('NOT pinned to cores: no taskset, or fewer than two cores')
}

export function printRound(round, samples) {
  const parts = [...samples].map(
    ([name, { micros, perSecond }]) => `${name} ${micros.toFixed(2)} us (${Math.round(perSecond / 1000)}k/s)`,
  )
  console.log(`round ${String(round + 1).padStart(2)}  ${parts.join('  ')}`)
}

export function printSummary(rows) {
  const cell = ({ median, min, max }) => `${median.toFixed(2)} (${min.toFixed(2)}..${max.toFixed(2)})`
  console.log('\nserver CPU per message, median (min..max of the rounds)')
  for (const { name, micros, ratio } of rows) {
    console.log(`${name.padEnd(10)} ${cell(micros).padEnd(24)} us   ratio ${cell(ratio)}`)
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
