import { toStanding, toWaitUs } from '../bucket-math.ts'
import type { Standing, Take, Verdict } from '../store.ts'
import type { RedisConnection } from './redis-connection.ts'
import { RedisError } from './redis-error.ts'
import type { Operation } from './redis-instruments.ts'
import { bucketKey } from './redis-keys.ts'
import { adjustScript, peekScript, refundScript, resetScript, type Script, takeScript } from './scripts.ts'
import { groupBySlot, type SlotGroup } from './slots.ts'

/** What one slot said of its takes. */
interface SlotVerdict extends SlotGroup<Take> {
  readonly isTaken: boolean
  /** The server's time, microseconds. */
  readonly nowUs: number
  /** After what was taken, or as it was. */
  readonly debtsUs: readonly number[]
}

/** The buckets of a store. On one server all takes of a consume are one step, in a cluster those of one slot. */
export class RedisBuckets {
  readonly #connection: RedisConnection
  readonly #keyOf: (take: Take) => string

  constructor(connection: RedisConnection, prefix: string) {
    this.#connection = connection
    this.#keyOf = (take) => bucketKey(prefix, take)
  }

  /**
   * Over several slots: each checks and takes, all at once, and when one refuses, the others get back what was taken from them. So never
   * too much passes. Too little may: until it has come back, what a refused call took is missing to others, and what would have
   * refilled on the way stays missing. When it cannot come back (the connection is lost just then), it refills as everything does.
   */
  async consume(takes: readonly Take[]): Promise<Verdict> {
    const groups = this.#split(takes)
    const [first] = groups
    if (groups.length === 1 && first !== undefined) return toVerdict(takes, [await this.#take(first)])
    const results = await Promise.allSettled(groups.map((group) => this.#take(group)))
    const verdicts = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failure = results.find((result) => result.status === 'rejected')
    if (failure === undefined && verdicts.every(({ isTaken }) => isTaken)) return toVerdict(takes, verdicts)
    const back = verdicts.filter(({ isTaken }) => isTaken)
    await Promise.all(back.map((verdict) => this.#refund(verdict).catch(() => {})))
    if (failure !== undefined) throw failure.reason
    return toVerdict(takes, verdicts.map(withoutTaking))
  }

  async peek(takes: readonly Take[]): Promise<readonly Standing[]> {
    const verdicts = this.#split(takes).map(async (group): Promise<SlotVerdict> => {
      const spans = group.items.map(({ rule }) => rule.spanUs)
      const debtsUs = toNumbers(await this.#connection.run('peek', peekScript, group.keys, spans), group.items.length)
      return { ...group, isTaken: false, nowUs: 0, debtsUs }
    })
    return toVerdict(takes, await Promise.all(verdicts)).standings
  }

  async adjust(what: 'take' | 'give back', takes: readonly Take[]): Promise<void> {
    const sign = what === 'take' ? 1 : -1
    await this.#tell('adjust', adjustScript, takes, (take) => [sign * costUs(take), take.rule.spanUs])
  }

  async reset(takes: readonly Take[]): Promise<void> {
    await this.#tell('reset', resetScript, takes, () => [])
  }

  #split(takes: readonly Take[]): readonly SlotGroup<Take>[] {
    return groupBySlot(takes, this.#keyOf, this.#connection.isCluster)
  }

  async #take(group: SlotGroup<Take>): Promise<SlotVerdict> {
    const args = group.items.flatMap((take) => [costUs(take), take.rule.spanUs])
    const answer = await this.#connection.run('consume', takeScript, group.keys, args)
    const [passed = 0, nowUs = 0, ...debtsUs] = toNumbers(answer, group.items.length + 2)
    return { ...group, isTaken: passed === 1, nowUs, debtsUs }
  }

  async #refund({ keys, items, nowUs, debtsUs }: SlotVerdict): Promise<void> {
    const args = items.flatMap((take, i) => [costUs(take), nowUs + (debtsUs[i] ?? 0), take.rule.spanUs])
    await this.#connection.run('refund', refundScript, keys, args)
  }

  async #tell(
    operation: Operation,
    script: Script,
    takes: readonly Take[],
    toArgs: (take: Take) => number[],
  ): Promise<void> {
    await Promise.all(
      this.#split(takes).map(({ keys, items }) => this.#connection.run(operation, script, keys, items.flatMap(toArgs))),
    )
  }
}

const costUs = ({ cost, rule }: Take): number => cost * rule.intervalUs

function withoutTaking(verdict: SlotVerdict): SlotVerdict {
  if (!verdict.isTaken) return verdict
  const debtsUs = verdict.debtsUs.map((debt, i) => {
    const take = verdict.items[i]
    return take === undefined ? debt : debt - costUs(take)
  })
  return { ...verdict, isTaken: false, debtsUs }
}

/** In the order of `takes`: those of one slot keep theirs. */
function toVerdict(takes: readonly Take[], verdicts: readonly SlotVerdict[]): Verdict {
  const standings = new Map<Take, Standing>()
  for (const { items, isTaken, debtsUs } of verdicts) {
    for (const [i, take] of items.entries()) {
      const debtUs = debtsUs[i] ?? 0
      standings.set(take, toStanding(take.rule, debtUs, isTaken ? 0 : toWaitUs(take.rule, debtUs, take.cost)))
    }
  }
  return {
    allowed: verdicts.every(({ isTaken }) => isTaken),
    standings: takes.flatMap((take) => standings.get(take) ?? []),
  }
}

/** What the scripts answer; a client that was given may hand numbers over as texts. */
function toNumbers(answer: unknown, count: number): readonly number[] {
  const numbers = Array.isArray(answer) ? answer.map(Number) : []
  if (numbers.length === count && numbers.every(Number.isSafeInteger)) return numbers
  throw new RedisError('error', 'Redis answered what no script of ours answers')
}
