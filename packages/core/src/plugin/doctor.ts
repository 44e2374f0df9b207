import type { Environment } from '../base/environment.ts'
import type { CheckResult } from '../base/finding.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'

/** A check of a plugin. It must not change anything. An error that it throws is reported as a finding. */
export type DoctorCheck = () => MaybePromise<CheckResult | readonly CheckResult[]>

/** The argument of a plugin's `doctor`, which runs before `setup`. */
export interface DoctorHost {
  readonly environment: Environment
  /** Adds a check. */
  doctor(name: string, check: DoctorCheck): void
  /**
   * Names a package that the plugin imports with its current options; `why`: `database() needs it for a postgres:// url`. `importedBy` is the
   * `import.meta.url` of the file that imports it: the package is resolved from there, and its version range is that of the package.json
   * of that file's package. Default: resolved from the app.
   */
  peer(name: string, why: string, importedBy?: string): void
}

export interface NamedCheck {
  readonly name: string
  readonly check: DoctorCheck
}
