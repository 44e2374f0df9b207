import { expect } from 'vitest'
import type { WriteInput, WriteRoute } from './chaos-faults-shared.ts'
import type { ChaosWire } from './chaos-node.ts'

/** One attempt of a call: over which wire, on which node, and how it ended. Times are milliseconds since the start. */
export interface Attempt {
  readonly wire: ChaosWire
  readonly node: string
  readonly startedMs: number
  /** `ok`, or the code of an error; null while neither an answer nor the end of the connection is there. */
  end: { readonly kind: 'answered'; readonly code: string } | { readonly kind: 'closed'; readonly why: string } | null
  endedMs: number
}

interface Entry {
  readonly route: WriteRoute
  readonly input: WriteInput
  readonly attempts: Attempt[]
}

/** What the system has in the end. */
export interface Evidence {
  /** Names of the rows. */
  readonly rows: readonly string[]
  /** Names of the publications of each topic, in order. */
  readonly history: ReadonlyMap<string, readonly string[]>
  /** What each observer received of a topic, in order; null: it was told that something may be missing. */
  readonly observed: readonly ReadonlyMap<string, readonly (string | null)[]>[]
}

export interface LedgerFigures {
  readonly accepted: number
  readonly answered: number
  readonly closed: number
  readonly done: number
  readonly notDone: number
  /** Calls of which no answer says whether they were done, and whether they were. */
  readonly unknown: { readonly done: number; readonly notDone: number }
  readonly codes: Readonly<Record<string, number>>
  readonly told: number
}

/** Its answer does not say whether it was done. */
const unknownCodes: ReadonlySet<string> = new Set(['outcome_unknown'])
/** For a repeated call of once(): the first one may still be running, or has been done. */
const openCodes: ReadonlySet<string> = new Set(['outcome_unknown', 'idempotency_in_progress'])

/** Calls against rows, publications and what observers received. */
export class FaultsLedger {
  readonly #entries = new Map<string, Entry>()
  readonly #startedMs = performance.now()
  /** What happened, for messages of failures. */
  readonly #faults: string[] = []

  fault(text: string): void {
    this.#faults.push(`${this.#now()} ms: ${text}`)
  }

  begin(route: WriteRoute, input: WriteInput): void {
    this.#entries.set(input.name, { route, input, attempts: [] })
  }

  /** An attempt was sent. */
  attempt(name: string, wire: ChaosWire, node: string): Attempt {
    const attempt: Attempt = { wire, node, startedMs: this.#now(), end: null, endedMs: 0 }
    this.#entries.get(name)?.attempts.push(attempt)
    return attempt
  }

  end(attempt: Attempt, end: NonNullable<Attempt['end']>): void {
    attempt.end = end
    attempt.endedMs = this.#now()
  }

  /** With the differences, each with the history of its call. */
  check({ rows, history, observed }: Evidence): LedgerFigures {
    const differences: string[] = []
    const counts = count(rows)
    const announced = count([...history.values()].flat())
    const figures = { accepted: 0, answered: 0, closed: 0, done: 0, notDone: 0, told: 0 }
    const unknown = { done: 0, notDone: 0 }
    const codes: Record<string, number> = {}
    for (const [name, entry] of this.#entries) {
      const differs = (what: string): void => void differences.push(`${what}: ${this.#story(name, entry)}`)
      for (const { end } of entry.attempts) {
        figures.accepted += 1
        if (end === null) differs('neither answered nor closed')
        else figures[end.kind] += 1
        const code = end?.kind === 'answered' ? end.code : 'closed'
        codes[code] = (codes[code] ?? 0) + 1
      }
      const effects = counts.get(name) ?? 0
      const said = toVerdict(entry)
      if (said === 'done') figures.done += 1
      else if (said === 'notDone') figures.notDone += 1
      else unknown[effects > 0 ? 'done' : 'notDone'] += 1
      const expected = said === 'done' ? [1] : said === 'notDone' ? [0] : [0, 1]
      if (!expected.includes(effects)) differs(`${effects} rows of a call that is ${said}`)
      if (entry.input.does !== 'succeed' && effects > 0) differs('a row of a call that fails')
      if ((announced.get(name) ?? 0) !== effects)
        differs(`${effects} rows and ${announced.get(name) ?? 0} publications`)
      if (effects > 0 && history.get(entry.input.topic)?.includes(name) !== true) differs('published to another topic')
    }
    for (const name of [...counts.keys(), ...announced.keys()])
      if (!this.#entries.has(name)) differences.push(`a row or a publication of no call: ${name}`)
    for (const [i, topics] of observed.entries())
      for (const [topic, received] of topics) {
        const wrong = compareOrder(history.get(topic) ?? [], received)
        if (wrong !== null) differences.push(`observer ${i} of ${topic}: ${wrong}`)
        figures.told += received.filter((each) => each === null).length
      }
    if (differences.length > 0) expect.fail(`${differences.length} differences\n${differences.slice(0, 10).join('\n')}`)
    return { ...figures, unknown, codes }
  }

  #now(): number {
    return Math.round(performance.now() - this.#startedMs)
  }

  #story(name: string, { route, input, attempts }: Entry): string {
    const from = attempts[0]?.startedMs ?? 0
    const to = attempts.at(-1)?.endedMs ?? from
    const about = this.#faults.filter((text) => {
      const at = Number.parseInt(text, 10)
      return at >= from - 5000 && at <= to + 5000
    })
    const lines = attempts.map((attempt) => `    ${JSON.stringify(attempt)}`)
    return [`${route} ${name} (${input.does})`, ...lines, ...about.map((text) => `    ${text}`)].join('\n')
  }
}

/** What the client knows. */
function toVerdict({ route, attempts }: Entry): 'done' | 'notDone' | 'unknown' {
  const open = route === 'WRITE_ONCE' ? openCodes : unknownCodes
  let isOpen = false
  for (const { end } of attempts) {
    if (end?.kind !== 'answered') isOpen = true
    else if (end.code === 'ok') return 'done'
    else if (open.has(end.code)) isOpen = true
  }
  return isOpen ? 'unknown' : 'notDone'
}

/** Null: all in order and once, and whatever is missing was told. `null` in `received` is a gap that was told. */
export function compareOrder(published: readonly string[], received: readonly (string | null)[]): string | null {
  const places = new Map(published.map((name, i) => [name, i]))
  let next = 0
  // What was published before it subscribed is not for it.
  let mayMiss = true
  for (const name of received) {
    if (name === null) {
      mayMiss = true
      continue
    }
    const place = places.get(name)
    if (place === undefined) return `${name} was never published`
    if (place < next) return `${name} came late, or twice`
    if (place > next && !mayMiss) return `${published[next]} is missing before ${name}, and that was not told`
    next = place + 1
    mayMiss = false
  }
  return next < published.length ? `${published[next]} is missing at the end` : null
}

function count(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
