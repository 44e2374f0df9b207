import type postgres from 'postgres'
import { expect } from 'vitest'
import type { AuditChaosNode } from './chaos-audit-node.ts'
import { type AuditChaosRoute, auditChaosOptions, type Deed } from './chaos-audit-shared.ts'
import type { ChaosWire } from './chaos-node.ts'

export interface AuditChaosCall {
  readonly name: string
  readonly node: AuditChaosNode
  readonly round: number
  readonly route: AuditChaosRoute
  readonly wire: ChaosWire
  readonly does: Deed
}

interface Row {
  readonly name: string
  readonly request_id: string
  readonly outcome: string
}

/** A call with its answer (`ok`, the code of its error, or null for none), its row and its effects. */
interface Entry extends AuditChaosCall {
  readonly code: string | null
  readonly message: string
  readonly outcome: string | null
  readonly effects: number
}

export interface AuditChaosFigures {
  readonly calls: number
  readonly unanswered: number
  readonly codes: Readonly<Record<string, number>>
  readonly kills: number
  /** Answered calls of normal routes without a row, of processes with `spill` that were killed: all of them, and those of one. */
  readonly lostByKills: number
  readonly mostLostByKill: number
  /** Rows that processes with `drop` have counted as lost. */
  readonly dropped: number
}

/** Calls of one node at a time. */
export const concurrency = 4
const outcomeOf: Readonly<Record<Deed, string>> = {
  succeed: 'success',
  forbid: 'permission_denied',
  refuse: 'error',
  fail: 'error',
}
const codeOf: Readonly<Record<Deed, string>> = {
  succeed: 'ok',
  forbid: 'permission_denied',
  refuse: 'not_found',
  fail: 'internal_error',
}

/** Calls against rows and effects. */
export class AuditChaosLedger {
  readonly #calls = new Map<string, AuditChaosCall>()
  /** In their order. */
  readonly #answers = new Map<string, unknown>()

  begin(call: AuditChaosCall): void {
    this.#calls.set(call.name, call)
  }

  answered(call: AuditChaosCall, answer: unknown): void {
    this.#answers.set(call.name, answer)
  }

  /** Once every process has ended, and the last ones cleanly. */
  async check(query: postgres.Sql): Promise<AuditChaosFigures> {
    const entries = await this.#read(query)
    for (const entry of entries) if (entry.route !== 'NOTE') checkAudited(entry)
    const figures = { kills: 0, lostByKills: 0, mostLostByKill: 0, dropped: 0 }
    for (const node of new Set(entries.map((entry) => entry.node))) {
      const own = entries.filter((entry) => entry.node === node)
      const lost = node.end === 'killed' ? checkKilled(node, own) : checkStopped(node, own)
      figures.dropped += node.dropped
      if (node.end === 'killed') figures.kills += 1
      if (node.end !== 'killed' || node.mode === 'drop') continue
      figures.lostByKills += lost
      figures.mostLostByKill = Math.max(figures.mostLostByKill, lost)
    }
    const codes: Record<string, number> = {}
    for (const { route, code } of entries) {
      if (code !== null) codes[`${route} ${code}`] = (codes[`${route} ${code}`] ?? 0) + 1
    }
    return { calls: entries.length, unanswered: entries.filter(({ code }) => code === null).length, codes, ...figures }
  }

  /** Answered calls in the order of their answers, then the others. @throws when a row or an effect is there twice, or of no call */
  async #read(query: postgres.Sql): Promise<readonly Entry[]> {
    const rows = await query<Row[]>`select request_data->>'name' as name, request_id, outcome from user_actions`
    const outcomes = new Map<string, string>()
    for (const { name, outcome } of rows) {
      const call = this.#calls.get(name)
      if (call === undefined) throw new Error(`A row is of no call: ${name}`)
      if (outcomes.has(name)) throw new Error(`Two rows: ${show(call)}`)
      outcomes.set(name, outcome)
    }
    expect(new Set(rows.map(({ request_id }) => request_id)).size).toBe(rows.length)
    const effects = new Map<string, number>()
    for (const { name } of await query<{ name: string }[]>`select name from effects`)
      effects.set(name, (effects.get(name) ?? 0) + 1)
    const names = new Set([...this.#answers.keys(), ...this.#calls.keys()])
    return [...names].flatMap((name) => {
      const call = this.#calls.get(name)
      if (call === undefined) return []
      const answer = { code: null, message: '', ...(this.#answers.has(name) && read(this.#answers.get(name))) }
      return [{ ...call, ...answer, outcome: outcomes.get(name) ?? null, effects: effects.get(name) ?? 0 }]
    })
  }
}

function read(answer: unknown): Pick<Entry, 'code' | 'message'> {
  if ('state' in Object(answer)) return { code: 'ok', message: '' }
  const error: unknown = Object(answer).error ?? answer
  return { code: String(Object(error).code), message: JSON.stringify(answer) }
}

/** Exactly one row, and no effect without it. */
function checkAudited(entry: Entry): void {
  const { route, node, code, message, outcome, effects } = entry
  const story = show(entry)
  if (route === 'ACT') expect(effects, `effects and successes of ${story}`).toBe(outcome === 'success' ? 1 : 0)
  if (code === null) return
  if (code === 'unavailable') {
    expect(effects, `effects of ${story}`).toBe(0)
    // The attempt is recorded as those of normal routes are.
    if (isAttempt(message) && node.mode === 'spill' && node.end === 'stopped')
      expect(outcome, `the row of ${story}`).not.toBeNull()
  } else if (code === 'outcome_unknown') {
    if (node.mode === 'spill' && node.end === 'stopped') expect(outcome, `the row of ${story}`).not.toBeNull()
  } else if (code === 'deadline_exceeded') expect(outcome, `the row of ${story}`).toBe('error')
  else checkEnding(entry)
}

function isAttempt(message: string): boolean {
  return message.includes('audit log cannot be written')
}

function checkEnding(entry: Entry): void {
  const { does, code, outcome } = entry
  expect({ code, outcome }, show(entry)).toEqual({ code: codeOf[does], outcome: outcomeOf[does] })
}

/** Calls of normal routes that were answered by an answer of their own, in order. */
function answeredNotes(own: readonly Entry[]): readonly Entry[] {
  return own.filter(({ route, code }) => route === 'NOTE' && code !== null && code !== 'unavailable')
}

/** With `spill` none is lost; with `drop` those that were counted. Returns how many are lost. */
function checkStopped(node: AuditChaosNode, own: readonly Entry[]): number {
  const notes = answeredNotes(own)
  const lost = notes.filter(({ outcome }) => outcome === null)
  for (const entry of notes) if (entry.outcome !== null || node.mode === 'spill') checkEnding(entry)
  if (node.mode === 'spill') expect(node.dropped, `dropped by ${node.name}`).toBe(0)
  const attempts = own.filter(({ route, message }) => route !== 'NOTE' && isAttempt(message))
  const certain = lost.length + attempts.filter(({ outcome }) => outcome === null).length
  // Calls whose answer was lost or is not known, and a batch of which it was not known whether it is stored.
  const open = own.filter(
    ({ code, outcome, message }) =>
      (code === null && outcome === null) || code === 'outcome_unknown' || (isAttempt(message) && outcome !== null),
  )
  expect(node.dropped, `dropped by ${node.name}`).toBeGreaterThanOrEqual(certain)
  expect(node.dropped, `dropped by ${node.name}`).toBeLessThanOrEqual(
    certain + open.length + auditChaosOptions.batchSize,
  )
  return lost.length
}

/** What was in memory is lost: the queue, and with `spill` what was on its way to the file. Returns how many are lost. */
function checkKilled(node: AuditChaosNode, own: readonly Entry[]): number {
  const notes = answeredNotes(own)
  for (const entry of notes) if (entry.outcome !== null) checkEnding(entry)
  const isLost = ({ outcome }: Entry): boolean => outcome === null
  const lost = notes.filter(isLost)
  // Besides the queue: what was answered, and not added to it yet.
  const inMemory = auditChaosOptions.queueSize + concurrency
  const bound = `lost by ${node.name}, which was killed`
  if (node.mode === 'drop') expect(lost.length, bound).toBeLessThanOrEqual(node.dropped + inMemory)
  else {
    // A file is written in order.
    const last = notes.findLastIndex((entry) => !isLost(entry))
    expect(notes.slice(0, last + 1).filter(isLost).length, bound).toBeLessThanOrEqual(inMemory)
    const lastRound = notes.filter(({ round }) => round === notes.at(-1)?.round)
    expect(lost.length, bound).toBeLessThanOrEqual(auditChaosOptions.queueSize + lastRound.length)
  }
  return lost.length
}

function show({ node, ...call }: AuditChaosCall): string {
  return JSON.stringify({ ...call, node: `${node.name}, ${node.end}` })
}
