import type { Random } from '../differential/random.ts'
import type { ChaosTransaction, KillPoint } from './chaos-node.ts'

export interface ChaosRound {
  readonly point: KillPoint
  /** What the node has done before: nothing, one call, or calls of earlier rounds. Statements are prepared by then. */
  readonly node: 'fresh' | 'served' | 'old'
  /** Another client sends the same call to the other node at once. */
  readonly isDoubled: boolean
  /** Other calls, to the other node at once. */
  readonly besides: number
  readonly lingerMs: number
  /** Played again until the node was killed at its point, which is certain for a call. */
  readonly mustKill: boolean
}

export interface ChaosPlan {
  readonly rounds: readonly ChaosRound[]
  /** How many rounds there have to be at least for each message of a call. */
  readonly everyMessage: number
}

/** Of one transaction each. `served`: of the second call of a node. */
export type ChaosMessages = Readonly<Record<ChaosTransaction | 'served', readonly string[]>>

const verdicts = ['hold', 'last'] as const
/** Longer than the deadline of a call: the key of the dead node is still in use when the repeated call has to be answered. */
const longLingerMs = 4500

/**
 * First each message of a call once, before or after it is passed on, the end of a call whose statements are prepared, those of a sender that come
 * after it has published, two replies, and a server that is not told for long; then all kinds by chance; then the other half of the messages.
 * `count` is null for as many as a run by CI needs.
 */
export function planRounds(random: Random, count: number | null, messages: ChaosMessages): ChaosPlan {
  const plain = (point: KillPoint, besides = random.int(0, 2)): ChaosRound => ({
    point,
    node: 'fresh',
    isDoubled: false,
    besides,
    lingerMs: random.pick([0, 0, 200]),
    mustKill: true,
  })
  const at = (of: ChaosTransaction, n: number, verdict = random.pick(verdicts)): KillPoint => {
    return { kind: 'message', of, n, verdict }
  }
  const byChance = (): ChaosRound => {
    const kind = random.weighted({ call: 4, sender: 3, reply: 1, moment: 2 })
    const point: KillPoint =
      kind === 'moment'
        ? { kind, delayMs: random.int(0, 60) }
        : kind === 'reply'
          ? { kind }
          : at(kind, random.int(1, messages[kind].length))
    return {
      ...plain(point),
      node: random.pick(['fresh', 'served', 'old']),
      isDoubled: random.chance(0.5),
      mustKill: false,
    }
  }
  const numbers = (of: keyof ChaosMessages): number[] => messages[of].map((_, i) => i + 1)
  const first = new Map(numbers('call').map((n) => [n, random.pick(verdicts)]))
  const published = messages.sender.findIndex((_, i) => answersBefore(messages.sender, i) === 3)
  // Nothing wakes the other node, so that it is this one that sends.
  const ofSender = numbers('sender').map((n) => plain(at('sender', n), 0))
  const ofServed = numbers('served').map((n) => ({ ...plain(at('call', n)), node: 'served' as const }))
  const answers = answersBefore(messages.served, messages.served.length)
  const lastStatement = messages.served.findIndex((_, i) => answersBefore(messages.served, i) === answers - 2)
  const needed = [
    ...[...first].map(([n, verdict]) => plain(at('call', n, verdict))),
    ...ofServed.slice(lastStatement),
    ...ofSender.slice(published),
    plain({ kind: 'reply' }),
    plain({ kind: 'reply' }),
    { ...plain(at('call', messages.call.length - 4), 0), lingerMs: longLingerMs },
  ]
  const rounds = [...shuffled(random, needed), ...Array.from({ length: 8 }, byChance)]
  const more = [
    ...[...first].map(([n, verdict]) => plain(at('call', n, verdict === 'hold' ? 'last' : 'hold'))),
    ...ofServed.slice(0, lastStatement),
    ...ofSender.slice(0, published),
  ]
  if (count === null) return { rounds, everyMessage: needed.length }
  rounds.push(...shuffled(random, more))
  while (rounds.length < count) rounds.push(byChance())
  return { rounds: rounds.slice(0, count), everyMessage: needed.length }
}

/** Of a sender the third one is that to the query of the rows. */
function answersBefore(messages: readonly string[], index: number): number {
  return messages.slice(0, index).filter((each) => each === 'server Z').length
}

function shuffled<T>(random: Random, list: readonly T[]): T[] {
  return list
    .map((each) => ({ each, place: random.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ each }) => each)
}
