// Property tests play the same runs each time, so that a failure is about the change and not about a new input. Other inputs:
// `PROPERTY_SEED=random npx vitest run --project unit packages/core/src/http`, or the seed that such a run printed.
import fc from 'fast-check'

const wanted = process.env.PROPERTY_SEED ?? '1'
const seed = wanted === 'random' ? undefined : Number(wanted)
if (seed !== undefined && !Number.isInteger(seed))
  throw new Error(`PROPERTY_SEED must be an integer or 'random', not '${wanted}'`)
fc.configureGlobal(seed === undefined ? {} : { seed })
