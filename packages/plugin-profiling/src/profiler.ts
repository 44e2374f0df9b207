import { Session } from 'node:inspector/promises'
import { setTimeout } from 'node:timers/promises'
import { ConflictError } from '@twinwire/core'

export type ProfileKind = 'cpu' | 'heap'

/** What Chromium's developer tools open: `.cpuprofile`, `.heapprofile`. */
export type Profile = object

/** Microseconds between two samples of the CPU: 1000 a second. */
const cpuIntervalUs = 1000
/** Bytes allocated between two samples of the heap. */
const heapIntervalBytes = 65_536

/** V8 has one profiler for all apps of a process: the end of one profile would be the end of another. */
let running: ProfileKind | null = null

/** Profiles this process, once at a time. */
export class Profiler {
  /** Rejects with `conflict` while another profile is taken, and with the reason of `signal` when it is aborted. */
  async take(kind: ProfileKind, seconds: number, signal: AbortSignal): Promise<Profile> {
    if (running !== null) throw new ConflictError(`A ${running} profile is being taken: ask again when it has ended`)
    running = kind
    const session = new Session()
    try {
      session.connect()
      return kind === 'cpu' ? await takeCpu(session, seconds, signal) : await takeHeap(session, seconds, signal)
    } finally {
      // It ends what the session has begun, also after an abort.
      session.disconnect()
      running = null
    }
  }
}

async function takeCpu(session: Session, seconds: number, signal: AbortSignal): Promise<Profile> {
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: cpuIntervalUs })
  await session.post('Profiler.start')
  await pause(seconds, signal)
  const { profile } = await session.post('Profiler.stop')
  return profile
}

/** Where live objects were allocated; it has no values, unlike a snapshot of the heap. */
async function takeHeap(session: Session, seconds: number, signal: AbortSignal): Promise<Profile> {
  await session.post('HeapProfiler.startSampling', { samplingInterval: heapIntervalBytes })
  await pause(seconds, signal)
  const { profile } = await session.post('HeapProfiler.stopSampling')
  return profile
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await setTimeout(seconds * 1000, undefined, { signal })
}
