import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'
import type { Position } from './keyset.ts'
import type { SortTerm } from './order.ts'
import type { TableShape } from './table.ts'

/** The query of a cursor, which is valid for no other query. */
export interface CursorScope {
  readonly shape: TableShape
  readonly terms: readonly SortTerm[]
  readonly where: SQL | undefined
  /** '' for none: the tag is then a checksum. */
  readonly secret: string
}

// A cursor, before base64url: one byte of version, 16 bytes of tag, the position as JSON.
const version = 1
const tagBytes = 16
const headBytes = 1 + tagBytes

/** A value of an index is shorter (2704 bytes); a cursor must fit into a URL. */
const maxPositionBytes = 6000
/** Length of the longest cursor of `toCursor`, in base64url. */
export const maxCursorLength: number = Math.ceil(((headBytes + maxPositionBytes) * 4) / 3)

const dialect = new PgDialect()

/** Throws ValidationError for a position whose values are too long. */
export function toCursor(scope: CursorScope, position: Position): string {
  const body = Buffer.from(JSON.stringify(position))
  if (body.length > maxPositionBytes)
    throw invalid('A value of the sort columns is too long for a cursor: use page numbers')
  return Buffer.concat([Buffer.of(version), toTag(scope, body), body]).toString('base64url')
}

/**
 * The position of a cursor. Throws ValidationError for a cursor that is malformed, of another table, filter or order, tampered with, or whose
 * values the columns cannot have.
 */
export function fromCursor(scope: CursorScope, cursor: string): Position {
  if (cursor.length > maxCursorLength || !/^[\w-]+$/.test(cursor)) throw invalid('Not a valid cursor')
  const bytes = Buffer.from(cursor, 'base64url')
  // The last character has unused bits: only one spelling of a cursor is valid.
  if (bytes.length <= headBytes || bytes[0] !== version || bytes.toString('base64url') !== cursor) {
    throw invalid('Not a valid cursor')
  }
  const body = bytes.subarray(headBytes)
  if (!timingSafeEqual(bytes.subarray(1, headBytes), toTag(scope, body))) {
    throw invalid('This cursor belongs to other filters or another order')
  }
  const position = parse(body.toString('utf8'))
  if (!isPosition(scope.terms, position)) throw invalid('This cursor belongs to another query')
  return position
}

/** HMAC-SHA256 over query and position, cut to 128 bits. */
function toTag({ shape, terms, where, secret }: CursorScope, body: Buffer): Buffer {
  const order = terms.map(({ column, descending, nullsFirst }) => [column.name, descending, nullsFirst])
  const filter = where === undefined ? null : dialect.sqlToQuery(where)
  const query = JSON.stringify([shape.name, order, filter?.sql, filter?.params], toPlain)
  return createHmac('sha256', `twinwire cursor ${version} ${secret}`)
    .update(`${query.length} ${query}`)
    .update(body)
    .digest()
    .subarray(0, tagBytes)
}

function toPlain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isPosition(terms: readonly SortTerm[], value: unknown): value is Position {
  return (
    Array.isArray(value) &&
    value.length === terms.length &&
    terms.every(({ column }, index) => {
      const text: unknown = value[index]
      return text === null ? column.nullable : typeof text === 'string' && column.admits(text)
    })
  )
}

function invalid(message: string): ValidationError {
  return new ValidationError('Invalid cursor', [{ path: 'cursor', message }])
}
