import type { Page } from '@twinwire/core'
import { BaseRepository, type Database, type Filters } from '@twinwire/core/database'
import { actions } from '../table.ts'

/** One recorded call. */
export interface AuditRow {
  /** UUID version 7. */
  readonly id: string
  /** When the call began. */
  readonly timestamp: Date
  readonly userId: string | null
  readonly username: string | null
  readonly userRoles: readonly string[]
  /** `GET`, `POST` …, or `WS:` and the name of the route. */
  readonly actionType: string
  /** The path as requested, without its query; on WebSocket the path of the route, or its name. */
  readonly resource: string
  /** `success`, `error`, `permission_denied`. */
  readonly outcome: string
  readonly ipAddress: string | null
  readonly userAgent: string | null
  readonly requestId: string
  readonly requestData: unknown
  readonly responseStatus: number | null
  readonly errorMessage: string | null
  readonly durationMs: number
}

/** Conditions that a row must match, all of them. */
export interface AuditFilters {
  readonly userId?: string | undefined
  /** A part of the name, in upper or lower case. The index serves parts of three characters and more. */
  readonly username?: string | undefined
  /** `POST`, `WS:CREATE_AUTHOR`. */
  readonly actionType?: string | undefined
  /** A part of the resource, in upper or lower case. The index serves parts of three characters and more. */
  readonly resource?: string | undefined
  readonly outcome?: AuditOutcome | undefined
  /** The first point in time, included. */
  readonly from?: Date | undefined
  /** The last point in time, included. */
  readonly to?: Date | undefined
}

export type AuditOutcome = 'success' | 'error' | 'permission_denied'

/** By number, or with a `cursor` after the last page, as `getPage` of `BaseRepository` has it. */
export interface AuditPageRequest {
  /** From 1. Default 1. Ignored with a cursor. */
  readonly page?: number | undefined
  /** From 1. Default and maximum are those of `database()`. */
  readonly perPage?: number | undefined
  /** The `next_cursor` of the previous page; `''` for the first page. Without it all rows that match are counted. */
  readonly cursor?: string | undefined
}

class ActionRepository extends BaseRepository<typeof actions> {
  protected override readonly entityName = 'Audit log'

  constructor(db: Database) {
    super(db, actions)
  }
}

/**
 * Reads the audit log. It has no methods that write: rows are made by `audit()`, and removed by its retention.
 *
 * @example
 * const { items, meta } = await new AuditRepository(db).getPage({ outcome: 'permission_denied' }, { cursor: '', perPage: 50 })
 */
export class AuditRepository {
  readonly #actions: ActionRepository

  constructor(db: Database) {
    this.#actions = new ActionRepository(db)
  }

  /** Newest first. Throws ValidationError for a page or a size below 1, and for a cursor of other filters. */
  getPage(filters: AuditFilters = {}, request: AuditPageRequest = {}): Promise<Page<AuditRow>> {
    return this.#actions.getPage({
      ...request,
      filters: toFilters(filters),
      orderBy: { timestamp: 'desc', id: 'desc' },
    })
  }

  /** Throws NotFoundError, and ValidationError for an id that is not a UUID. */
  getById(id: string): Promise<AuditRow> {
    return this.#actions.getById(id)
  }
}

function toFilters({
  userId,
  username,
  actionType,
  resource,
  outcome,
  from,
  to,
}: AuditFilters): Filters<typeof actions> {
  return {
    userId,
    actionType,
    outcome,
    ...(username !== undefined && { username: { contains: username } }),
    ...(resource !== undefined && { resource: { contains: resource } }),
    timestamp: { gte: from, lte: to },
  }
}
