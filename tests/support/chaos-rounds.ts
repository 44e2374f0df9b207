import type { Random } from '../differential/random.ts'
import type { ChaosTransaction, KillPoint } from './chaos-node.ts'

export interface ChaosRound {
  readonly point: KillPoint
  /** The node has served many calls; otherwise none. */
  readonly isWarm: boolean
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

const verdicts = ['hold', 'last'] as const
type Messages = Readonly<Record<ChaosTransaction, readonly string[]>>

/**
 * First each message of a call once, before or after it is passed on, those of a sender that come after it has published, and two replies; then all
 * kinds by chance; then the other half of the messages. `count` is null for as many as a run by CI needs.
 */
export function planRounds(random: Random, count: number | null, messages: Messages): ChaosPlan {
  const plain = (point: KillPoint, besides = random.int(0, 2)): ChaosRound => ({
    point,
    isWarm: false,
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
    return { ...plain(point), isWarm: random.chance(0.4), isDoubled: random.chance(0.5), mustKill: false }
  }
  const numbers = (of: ChaosTransaction): number[] => messages[of].map((_, i) => i + 1)
  const first = new Map(numbers('call').map((n) => [n, random.pick(verdicts)]))
  const published = messages.sender.findIndex((_, i) => answersBefore(messages.sender, i) === 3)
  // Nothing wakes the other node, so that it is this one that sends.
  const ofSender = numbers('sender').map((n) => plain(at('sender', n), 0))
  const needed = [
    ...[...first].map(([n, verdict]) => plain(at('call', n, verdict))),
    ...ofSender.slice(published),
    plain({ kind: 'reply' }),
    plain({ kind: 'reply' }),
  ]
  const rounds = [...shuffled(random, needed), ...Array.from({ length: 8 }, byChance)]
  const more = [
    ...[...first].map(([n, verdict]) => plain(at('call', n, verdict === 'hold' ? 'last' : 'hold'))),
    ...ofSender.slice(0, published),
  ]
  if (count === null) return { rounds, everyMessage: needed.length }
  rounds.push(...shuffled(random, more))
  while (rounds.length < count) rounds.push(byChance())
  return { rounds: rounds.slice(0, count), everyMessage: needed.length }
}

/** The third one is that to the query of the rows. */
function answersBefore(messages: readonly string[], index: number): number {
  return messages.slice(0, index).filter((each) => each === 'server Z').length
}

function shuffled<T>(random: Random, list: readonly T[]): T[] {
  return list
    .map((each) => ({ each, place: random.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ each }) => each)
}
