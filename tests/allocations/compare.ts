/** Bytes that one call allocates. */
export interface Count {
  /** By code that the optimising compiler has compiled: what a busy server does. */
  readonly optimized: number
  /** By code as it is written, interpreted. It tells a change of the code from another decision of the compiler. */
  readonly interpreted: number
}

/** By scenario. */
export type Counts = Readonly<Record<string, Count>>

/** How much more than in the baseline is accepted: 2 %. */
const accepted = 1.02

export interface Comparison {
  /** One line for each scenario. */
  readonly lines: readonly string[]
  /** What is wrong, and what to do. */
  readonly problems: readonly string[]
  /** A scenario costs less than in the baseline, which should be kept. */
  readonly fell: boolean
}

/** Compares what was counted with the baseline of the same major version of Node. */
export function compareCounts(baseline: Counts, counted: Counts): Comparison {
  const lines: string[] = []
  const problems: string[] = []
  let fell = false
  for (const [name, now] of Object.entries(counted)) {
    const before = baseline[name]
    if (before === undefined) {
      problems.push(`'${name}' is not in the baseline: add it with \`npm run check:allocations -- --update\``)
      continue
    }
    lines.push(`${name}: ${now.optimized} bytes a call (${before.optimized} in baseline.json)`)
    if (now.optimized > before.optimized * accepted) problems.push(describe(name, before, now))
    else if (now.optimized < before.optimized / accepted) fell = true
  }
  for (const name of Object.keys(baseline)) {
    if (counted[name] === undefined)
      problems.push(
        `'${name}' is in the baseline and was not counted: remove it with \`npm run check:allocations -- --update\``,
      )
  }
  return { lines, problems, fell }
}

function describe(name: string, before: Count, now: Count): string {
  const isOfCode = now.interpreted > before.interpreted
  const cause = isOfCode
    ? `The code as it is written allocates ${before.interpreted} bytes before and ${now.interpreted} now`
    : `The code as it is written allocates no more than before (${now.interpreted}): the compiler inlines less of it, or a function is no longer optimised`
  return [
    `'${name}' allocates ${percent(before, now)} % more: ${now.optimized} bytes a call, ${before.optimized} before; 2 % are accepted.`,
    `  ${cause}.`,
    '  Find what allocates with `npm run check:allocations -- --profile <folder>`. If a feature is worth it, say so in the commit, and accept',
    '  the count with `npm run check:allocations -- --update`.',
  ].join('\n')
}

const percent = (before: Count, now: Count): string => ((now.optimized / before.optimized - 1) * 100).toFixed(1)
