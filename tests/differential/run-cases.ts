import type { Profile } from './apps.ts'
import type { Case, Recording, Tokens } from './case.ts'
import { playCase } from './client.ts'
import { describeDifference, toText } from './compare.ts'
import { generateHttpCase } from './generate-http.ts'
import { generateSocketCase } from './generate-socket.ts'
import { Random } from './random.ts'

export type Ports = { readonly [Name in Profile]: number }

export interface CaseRun {
  readonly seed: number
  readonly tokens: Tokens
  readonly before: Ports
  readonly now: Ports
  /** With so many it stops. Default 20. */
  readonly maxDifferences?: number
}

export interface CaseTally {
  readonly cases: number
  readonly requests: number
  /** What differs, a message for each case. */
  readonly differences: readonly string[]
  /** Cases that differed only at first, or whose answer took too long, by app. */
  readonly unstable: { readonly [Name in Profile]: readonly string[] }
}

/** Cases that are played at the same time. */
const parallel = 12
/** A case whose answers differ is played again, in case the difference is one of timing. */
const attempts = 3

export function createCase(seed: number, index: number, tokens: Tokens): Case {
  const random = Random.of(seed, index)
  // About as many requests as frames: cases of WebSockets are longer.
  return random.chance(0.8) ? generateHttpCase(random, index, tokens) : generateSocketCase(random, index, tokens)
}

/** Plays cases on both builds until there were `count` requests. */
export async function runCases(run: CaseRun, count: number): Promise<CaseTally> {
  const { maxDifferences = 20 } = run
  const differences: string[] = []
  const unstable = { bare: [] as string[], edges: [] as string[], full: [] as string[] }
  let cases = 0
  let requests = 0

  const runCase = async (each: Case): Promise<void> => {
    const name = `case ${each.index} (${each.wire}, ${each.profile})`
    const [old, current] = [new Set<string>(), new Set<string>()]
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { before, now } = await playOnBoth(run, each, attempt)
      if (now.peers.some(({ stuckAt }) => stuckAt !== null))
        unstable[each.profile].push(`${name} got no answer in time`)
      old.add(toText(before, each))
      current.add(toText(now, each))
      if (![...old].some((text) => current.has(text))) continue
      if (attempt > 0) unstable[each.profile].push(`${name} differed only at first: ${describe(old, current)}`)
      return
    }
    differences.push(`${name} differs: ${describe(old, current)}\n  all of it: --seed ${run.seed} --case ${each.index}`)
  }
  const work = async (): Promise<void> => {
    while (requests < count && differences.length < maxDifferences) {
      const each = createCase(run.seed, cases++, run.tokens)
      requests += each.requests
      await runCase(each)
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return { cases, requests, differences, unstable }
}

/** Limits count by address, so each attempt has its own. */
export async function playOnBoth(
  { before, now }: Pick<CaseRun, 'before' | 'now'>,
  each: Case,
  attempt: number,
): Promise<{ readonly before: Recording; readonly now: Recording }> {
  const number = each.index * attempts + attempt
  const address = `127.${(each.trusted ? 1 : 129) + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
  const [theirs, ours] = await Promise.all([
    playCase(each, before[each.profile], address),
    playCase(each, now[each.profile], address),
  ])
  return { before: theirs, now: ours }
}

function describe(old: ReadonlySet<string>, current: ReadonlySet<string>): string {
  const [[one = ''], [other = '']] = [[...old], [...current]]
  return describeDifference(one, other)
}
