import type { TransactionMode } from '../transaction-options.ts'
import type { Statement } from './connection.ts'

/** `atBegin`: commands behind it; '' for none. */
export function toBegin({ isolation, readOnly }: TransactionMode, atBegin: string): string {
  const level = isolation === undefined ? '' : ` isolation level ${isolation}`
  return `begin${level}${readOnly === true ? ' read only' : ''}${atBegin === '' ? '' : `; ${atBegin}`}`
}

/** A setting of the transaction, which can be repeated. */
export function isSetting({ text, parameters }: Statement): boolean {
  return parameters.length === 0 && /^\s*set\s+(transaction|local|constraints)\s[^;]*$/i.test(text)
}
