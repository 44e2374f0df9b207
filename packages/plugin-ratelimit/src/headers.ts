import type { ReplyHeaders } from '@twinwire/core'
import type { Rule } from './rule.ts'
import type { Standing, Take } from './store.ts'

interface Figure {
  readonly take: Take
  readonly standing: Standing
  /** Is it given back when a later limit refuses the call? */
  readonly returnable: boolean
}

/** `"name";q=70;w=70`: 70 requests in 70 seconds, which is what the bucket holds and the time it takes to fill. */
const policies = new WeakMap<Rule, string>()

function policyOf(rule: Rule): string {
  const known = policies.get(rule)
  if (known !== undefined) return known
  const policy = `"${rule.name}";q=${rule.capacity};w=${Math.ceil(rule.spanUs / 1_000_000)}`
  policies.set(rule, policy)
  return policy
}

/**
 * The limits of one HTTP request as its answer tells them: `RateLimit` and `RateLimit-Policy` of all (draft-ietf-httpapi-ratelimit-headers-11,
 * structured fields), and `X-RateLimit-*` of the one that is closest to refuse. All times are in seconds from now.
 */
export class Figures {
  readonly #headers: ReplyHeaders
  #figures: Figure[] = []

  constructor(headers: ReplyHeaders) {
    this.#headers = headers
  }

  /** A bucket that was not asked about is null and left out. */
  add(takes: readonly Take[], standings: readonly (Standing | null)[], returnable: boolean): void {
    for (const [i, take] of takes.entries()) {
      const standing = standings[i]
      if (standing !== undefined && standing !== null) this.#figures.push({ take, standing, returnable })
    }
    this.#write()
  }

  /** What earlier limits of the call have taken is back. */
  giveBack(): void {
    this.#figures = this.#figures.map((figure) =>
      figure.returnable ? { ...figure, standing: returned(figure) } : figure,
    )
    this.#write()
  }

  #write(): void {
    const [first] = this.#figures
    if (first === undefined) return
    let tightest = first
    let limits = ''
    let all = ''
    for (const figure of this.#figures) {
      const { take, standing } = figure
      const separator = all === '' ? '' : ', '
      limits += `${separator}"${take.rule.name}";r=${standing.remaining};t=${toSeconds(standing.resetMs)}`
      all += separator + policyOf(take.rule)
      if (isTighter(standing, tightest.standing)) tightest = figure
    }
    const headers = this.#headers
    headers.set('ratelimit', limits)
    headers.set('ratelimit-policy', all)
    headers.set('x-ratelimit-limit', String(tightest.take.rule.capacity))
    headers.set('x-ratelimit-remaining', String(tightest.standing.remaining))
    headers.set('x-ratelimit-reset', String(toSeconds(tightest.standing.resetMs)))
  }
}

/** Is `one` closer to refuse than `other`, or does it refuse for longer? */
export function isTighter(one: Standing, other: Standing): boolean {
  if (one.retryAfterMs !== other.retryAfterMs) return one.retryAfterMs > other.retryAfterMs
  if (one.remaining !== other.remaining) return one.remaining < other.remaining
  return one.resetMs > other.resetMs
}

function returned({ take: { rule, cost }, standing }: Figure): Standing {
  return {
    ...standing,
    remaining: Math.min(rule.capacity, standing.remaining + cost),
    resetMs: Math.max(0, standing.resetMs - Math.floor((cost * rule.intervalUs) / 1000)),
  }
}

function toSeconds(ms: number): number {
  return Math.ceil(ms / 1000)
}
