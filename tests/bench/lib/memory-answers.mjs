import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { writeHeapSnapshot } from 'node:v8'

/** What a server answers whose memory is measured. It runs with `--expose-gc`. */
export const memoryAnswers = {
  collect() {
    globalThis.gc()
    return null
  },
  snapshot(folder) {
    mkdirSync(folder, { recursive: true })
    return writeHeapSnapshot(join(folder, `${process.pid}.heapsnapshot`))
  },
}
