import type { Environment } from './environment.ts'
import type { CheckResult } from './finding.ts'
import type { MaybePromise } from './maybe-promise.ts'

/** A check of a plugin or a broker. It must not change anything. An error that it throws is reported as a finding. */
export type DoctorCheck = () => MaybePromise<CheckResult | readonly CheckResult[]>

/** The argument of `doctor` of a plugin or a broker, which runs in any state of the app, also before it starts. */
export interface DoctorHost {
  readonly environment: Environment
  /** Adds a check. */
  doctor(name: string, check: DoctorCheck): void
  /**
   * Names a package that the plugin or broker imports with its current options; `why`: `database() needs it for a postgres:// url`. `importedBy` is the
   * `import.meta.url` of the file that imports it: the package is resolved from there, and its version range is that of the package.json
   * of that file's package. Default: resolved from the app.
   */
  peer(name: string, why: string, importedBy?: string): void
}

export interface NamedCheck {
  readonly name: string
  readonly check: DoctorCheck
}
