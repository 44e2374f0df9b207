import { InternalError } from '../../errors/app-error.ts'
import { leadingWords } from '../sql-text.ts'
import type { Statement } from './connection.ts'

/**
 * Refuses BEGIN, COMMIT and similar commands to the pool's handle: each of its statements may run on another connection, so that a
 * transaction would stay open on one, and statements of other callers would become part of it.
 */
export function refuseControl({ text, parameters }: Statement): void {
  const found = mayControl(text, parameters) ? findControl(text, parameters, false) : null
  if (found === null) return
  throw refused(
    `\`${found}\` was sent to the handle of the pool, where each statement may run on another connection: ` +
      'use transaction() in the `use` of the route, or db.transaction(async (tx) => …)',
  )
}

/** Refuses commands that would end the transaction. Manual savepoints are allowed. */
export function refuseControlInside({ text, parameters }: Statement): void {
  const found = mayControl(text, parameters) ? findControl(text, parameters, true) : null
  if (found === null) return
  throw refused(
    `\`${found}\` was sent inside of a transaction, which commits when its function resolves and rolls back when it throws: ` +
      'remove it; to undo a part of the transaction, use db.transaction() of this handle, which is a savepoint',
  )
}

/** Most statements are recognized by their first letters. Only a query without parameters can hold several statements. */
function mayControl(text: string, parameters: readonly unknown[]): boolean {
  return mayBegin(text) || (parameters.length === 0 && text.includes(';'))
}

function mayBegin(text: string): boolean {
  switch (text.charCodeAt(0) | 32) {
    case 115: // s: select, set; not savepoint, start
      return (text.charCodeAt(1) | 32) !== 101
    case 105: // insert
    case 117: // update
    case 100: // delete
    case 119: // with
      return false
  }
  return true
}

function findControl(text: string, parameters: readonly unknown[], inside: boolean): string | null {
  for (const words of leadingWords(text, parameters.length > 0 || !text.includes(';'))) {
    const found = toControl(words, inside)
    if (found !== null) return found
  }
  return null
}

/** The command that starts with these words, if it starts or ends a transaction. */
export function toControl(words: readonly string[], inside = false): string | null {
  const [first = '', second = ''] = words
  switch (first) {
    case 'begin':
    case 'end':
    case 'abort':
      return first
    case 'start':
    case 'prepare':
      return second === 'transaction' ? `${first} transaction` : null
    case 'commit':
      // A prepared transaction belongs to no connection.
      return second === 'prepared' ? null : first
    case 'rollback':
      if (second === 'prepared') return null
      return words.includes('to') ? (inside ? null : 'rollback to savepoint') : first
    case 'savepoint':
    case 'release':
      return inside ? null : first
  }
  return null
}

function refused(message: string): InternalError {
  return new InternalError({ cause: new Error(message) })
}
