import type { Environment, Identity } from '@twinwire/core'
import {
  badOption,
  checkOptions,
  type EndpointAccess,
  type EndpointNames,
  type OptionRules,
  option,
  resolveEndpointAccess,
} from '@twinwire/core/plugin'

/** Who may read the audit log. */
export type AuditAccess = EndpointAccess

/** What happens to a row that does not fit in the queue, because the database does not answer. */
export type AuditOverflow = 'drop' | 'spill'

export interface AuditOptions {
  /** False: calls are not recorded, except those of routes with `audited()`. Default true. */
  readonly enabled?: boolean | undefined
  /** Default: public, in `dev` and `test`. Required in `staging` and `production`. */
  readonly access?: AuditAccess | undefined
  /** Where the log is read. Default `/audit-logs`. */
  readonly path?: `/${string}` | undefined
  /** Days after which rows are removed, up to 36,500; 0 keeps them forever. Default 365. */
  readonly retentionDays?: number | undefined
  /** Rows that wait for the database, 1 to 1,000,000. Default 10,000. */
  readonly queueSize?: number | undefined
  /** Rows of one INSERT, 1 to 1000. Default 100. */
  readonly batchSize?: number | undefined
  /** How long the first row of a batch waits for others, in milliseconds, 1 to 60,000. Default 1000. */
  readonly batchMs?: number | undefined
  /**
   * A row that does not fit in the queue is counted and lost (`drop`), or is written to a file in `spillFolder`, from which it is stored once the
   * database answers again (`spill`). Default `drop`.
   */
  readonly overflow?: AuditOverflow | undefined
  /** Folder of the files of `overflow: 'spill'`, which is required then. It is created with mode 0700, the files with 0600. */
  readonly spillFolder?: string | undefined
  /** Most bytes of all files of one process. Rows beyond them are counted and lost. Default 67,108,864 (64 MiB). */
  readonly maxSpillBytes?: number | undefined
  /** Most bytes of a row as JSON, from 8192 to 1 MiB: what is longer is cut, and ends with `[…]`. Default 16,384. */
  readonly maxRowBytes?: number | undefined
  /** How long a statement that writes rows may take, in milliseconds, 100 to 60,000. Default 5000. */
  readonly writeTimeoutMs?: number | undefined
  /**
   * What is not recorded: paths, including those below them, and names of routes. Routes with `audited()` are recorded all the same. Default
   * `/health` and `/metrics`.
   */
  readonly skip?: readonly string[] | undefined
  /** Roles of an identity, for the column `user_roles`. Default: `roles`, and `realmRoles` with the prefix `realm:`, as plugin-auth has them. */
  readonly roles?: ((identity: Identity) => readonly string[]) | undefined
}

export const auditRules = {
  enabled: option.flag({ default: true }),
  access: option.unchecked<AuditAccess>(),
  path: option.path({ default: '/audit-logs' }),
  retentionDays: option.integer({ max: 36_500, default: 365 }),
  queueSize: option.integer({ min: 1, max: 1_000_000, default: 10_000 }),
  batchSize: option.integer({ min: 1, max: 1000, default: 100 }),
  batchMs: option.duration({ min: 1, max: 60_000, default: 1000 }),
  overflow: option.choice(['drop', 'spill'], { default: 'drop' }),
  spillFolder: option.string({ expects: 'a path of a folder', test: (path) => path !== '' && !path.includes('\0') }),
  maxSpillBytes: option.bytes({ min: 1024, default: 67_108_864 }),
  maxRowBytes: option.bytes({ min: 8192, max: 1_048_576, default: 16_384 }),
  writeTimeoutMs: option.duration({ min: 100, max: 60_000, default: 5000 }),
  skip: option.list({
    of: option.string({
      expects: "a path below '/', or the name of a route",
      test: (entry) => entry !== '' && entry !== '/',
    }),
    expects: 'a list of paths and names of routes',
    default: ['/health', '/metrics'],
  }),
  roles: option.callback<(identity: Identity) => readonly string[]>(),
} satisfies OptionRules<AuditOptions>

/** Checked, with every default. */
export interface ResolvedAuditOptions {
  readonly enabled: boolean
  readonly access: AuditAccess
  readonly path: `/${string}`
  readonly retentionDays: number
  readonly queueSize: number
  readonly batchSize: number
  readonly batchMs: number
  /** Null: rows that do not fit in the queue are lost. */
  readonly spill: { readonly folder: string; readonly maxBytes: number } | null
  readonly maxRowBytes: number
  readonly writeTimeoutMs: number
  readonly skip: readonly string[]
  readonly roles: (identity: Identity) => readonly string[]
}

export const owner = 'audit()'

/** How messages name what is served. */
export const names: EndpointNames = {
  owner,
  who: 'who may read the audit log',
  what: 'audit logs',
  role: 'admin',
  port: 9466,
}

/** @throws BootError for the first invalid option. */
export function resolveAuditOptions(options: AuditOptions, environment: Environment): ResolvedAuditOptions {
  const { access, overflow, spillFolder, maxSpillBytes, roles, ...checked } = checkOptions(owner, options, auditRules)
  if (overflow === 'spill' && spillFolder === undefined)
    throw badOption(
      owner,
      'spillFolder',
      "is required with overflow: 'spill': set it to a folder that survives a restart",
    )
  if (overflow === 'drop' && spillFolder !== undefined)
    throw badOption(owner, 'spillFolder', "has no effect without overflow: 'spill': set it, or remove spillFolder")
  return {
    ...checked,
    access: resolveAccess(access, environment),
    spill: spillFolder === undefined ? null : { folder: spillFolder, maxBytes: maxSpillBytes },
    roles: roles ?? rolesOf,
  }
}

/** Staging is where others reach the app: to be public there must be said. */
function resolveAccess(access: AuditAccess | undefined, environment: Environment): AuditAccess {
  if (access === undefined && environment === 'staging')
    throw badOption(
      owner,
      'access',
      `must say in staging ${names.who}: 'public' for everyone, { use: [requireRoles('${names.role}')] } for a role, { networks: ['10.0.0.0/8'] } for addresses, or { port: ${names.port} } for a separate port`,
    )
  return resolveEndpointAccess(access, environment, names)
}

/** Identities of plugin-auth, and others of that shape. */
function rolesOf(identity: Identity): readonly string[] {
  const own = 'roles' in identity ? toStrings(identity.roles) : []
  const ofRealm = 'realmRoles' in identity ? toStrings(identity.realmRoles) : []
  return ofRealm.length === 0 ? own : [...own, ...ofRealm.map((role) => `realm:${role}`)]
}

function toStrings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}
