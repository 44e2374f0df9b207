import type { Environment } from '../base/environment.ts'
import type { CheckResult } from '../base/finding.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'

/** A check of a plugin. It may look, but must not change anything; one that throws is an error. */
export type DoctorCheck = () => MaybePromise<CheckResult | readonly CheckResult[]>

/** What a plugin says to the doctor before it is set up: nothing is connected then. */
export interface DoctorHost {
  readonly environment: Environment
  /** Adds a check. */
  doctor(name: string, check: DoctorCheck): void
  /**
   * Names a package that the plugin imports as it is configured; `why`: `database() needs it for a postgres:// url`. `importedBy` is the
   * `import.meta.url` of the file that imports it: the package is looked for from there, and its range read in the package.json of that
   * file's package. Left out, it has to be where the app finds it.
   */
  peer(name: string, why: string, importedBy?: string): void
}

export interface NamedCheck {
  readonly name: string
  readonly check: DoctorCheck
}
