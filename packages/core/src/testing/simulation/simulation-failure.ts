const shownLines = 30

/** A schedule has failed: the message has its seed, and the last lines of its history. `cause` is what was thrown. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure'
  readonly seed: number
  /** All that happened, one line each. */
  readonly history: readonly string[]

  constructor(seed: number, history: readonly string[], cause: unknown, note: string = '') {
    const what = cause instanceof Error ? cause.message : String(cause)
    const last = history.slice(-shownLines)
    const left = history.length > last.length ? [`  (${history.length - last.length} lines before)`] : []
    super(
      [
        `The schedule of seed ${seed} failed: ${what}`,
        `To play it again: simulate({ …, seed: ${seed} }, …), or ${seedVariable}=${seed} for this test alone${note}`,
        ...left,
        ...last,
      ].join('\n'),
      { cause },
    )
    this.seed = seed
    this.history = history
  }
}

/** Its value is the only seed that `runSchedules` plays, and the seed of `simulate` where none is named. */
const seedVariable = 'TWINWIRE_SIMULATION_SEED'

/** @throws TypeError for what is not an integer */
export function seedOfEnvironment(): number | null {
  const text = process.env[seedVariable]
  if (text === undefined || text === '') return null
  const seed = Number(text)
  if (!Number.isSafeInteger(seed)) throw new TypeError(`${seedVariable} must be an integer, received '${text}'`)
  return seed
}
