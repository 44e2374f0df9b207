// Prints how many bytes one call of a scenario allocates on the heap of V8. `check.ts` starts it, with the flags that make that repeatable.
import process from 'node:process'
import v8 from 'node:v8'
import { scenarios } from './scenarios.mjs'

/** Until the optimising compiler has nothing more to do. */
const warmUpCalls = 200_000
const windows = 9
const callsPerWindow = 10_000

const { run, check, count } = await scenarios[process.argv[2]]()
run()
check()
for (let i = 0; i < warmUpCalls; i++) run()
check()
const counted = []
for (let window = 0; window < windows; window++) {
  // Not a full one, which would drop optimised code. What a window allocates has to fit into the young generation.
  globalThis.gc({ type: 'minor' })
  const answers = count()
  const used = usedBytes()
  for (let i = 0; i < callsPerWindow; i++) run()
  counted.push((usedBytes() - used) / callsPerWindow)
  if (count() - answers !== callsPerWindow) throw new Error('Not every call was answered')
}
check()
process.stdout.write(JSON.stringify(counted))
process.exit()

function usedBytes() {
  return v8.getHeapStatistics().used_heap_size
}
