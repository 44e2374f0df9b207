/** Where faults go. */
export type Fault = (error: unknown) => void

/** A throw must never unwind through native code (rule 30), not even the one of whoever is told about it. */
export function report(fault: Fault, error: unknown): void {
  try {
    fault(error)
  } catch {
    // Nobody is left to tell.
  }
}
