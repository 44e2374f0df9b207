import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import process from 'node:process'

/** Sends a signal to a child that was spawned `detached`, and to all that it has started. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // Gone between the question and the signal.
  }
}

/** The child and all that it has started do not outlive this process, as far as it ends by `process.exit`. */
export function endWithThisProcess(child: ChildProcess): void {
  const kill = (): void => signalGroup(child, 'SIGKILL')
  process.once('exit', kill)
  child.once('close', () => process.off('exit', kill))
}

/** Nor does a folder. Returns what takes that back. */
export function removeWithThisProcess(folder: string): () => void {
  // What was killed a moment ago may still be writing.
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  process.once('exit', remove)
  return () => void process.off('exit', remove)
}
