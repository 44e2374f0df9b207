/** What a project consists of. */
export interface ProjectOptions {
  /** `postgres`: PGlite in development, PostgreSQL elsewhere. `embedded`: PGlite alone. `none`: a list in memory. */
  readonly database: Database
  /** `keycloak`: an issuer inside the process in development, Keycloak elsewhere. `development`: that issuer alone. `none`: every route is public. */
  readonly auth: Auth
  readonly limits: boolean
  readonly metrics: boolean
  readonly redis: boolean
  /** A page for browsers, with `@twinwire/client`. */
  readonly page: boolean
  readonly packageManager: PackageManager
}

export const databases = ['postgres', 'embedded', 'none'] as const
export const auths = ['keycloak', 'development', 'none'] as const
export const packageManagers = ['npm', 'pnpm', 'yarn'] as const
export type Database = (typeof databases)[number]
export type Auth = (typeof auths)[number]
export type PackageManager = (typeof packageManagers)[number]

/** Options that are on or off, as flags and in the list of questions. */
export const switches = ['limits', 'metrics', 'redis', 'page'] as const

export const defaults: ProjectOptions = {
  database: 'postgres',
  auth: 'keycloak',
  limits: true,
  metrics: true,
  redis: false,
  page: true,
  packageManager: 'npm',
}

/** The one that runs this program: `npm create` and its siblings set `npm_config_user_agent`, such as `pnpm/10.34.9 npm/? node/v24.21.0`. */
export function packageManagerOf(userAgent: string | undefined): PackageManager | undefined {
  const [name] = userAgent?.split('/') ?? []
  return packageManagers.find((each) => each === name)
}

/** Every combination of the options, for each package manager that is named. */
export function combinationsFor(managers: readonly PackageManager[]): ProjectOptions[] {
  const onOrOff = [true, false]
  return managers.flatMap((packageManager) =>
    databases.flatMap((database) =>
      auths.flatMap((auth) =>
        onOrOff.flatMap((limits) =>
          onOrOff.flatMap((metrics) =>
            onOrOff.flatMap((redis) =>
              onOrOff.map((page) => ({ database, auth, limits, metrics, redis, page, packageManager })),
            ),
          ),
        ),
      ),
    ),
  )
}
