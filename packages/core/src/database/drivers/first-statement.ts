import type { Statement } from './connection.ts'
import type { TextRow } from './row-reader.ts'

/** The statement that a transaction begins with. It is sent in one message with BEGIN where the driver can, which saves a round trip. */
export interface FirstStatement extends Statement {
  /** The types of its parameters, as PREPARE wants them: `text, float8`. */
  readonly types: string
  /** Of letters, digits, `-` and `_`: they are written into the text of an EXECUTE. */
  readonly parameters: string[]
  /** Calls `send` once, and keeps the rows or the error for the inside of the transaction. Never rejects. */
  execute(send: () => Promise<readonly TextRow[]>): Promise<void>
}

/** First statements of the next transaction of a call. */
export class FirstStatements {
  readonly #byCall = new WeakMap<object, FirstStatement>()

  set(call: object, first: FirstStatement): void {
    this.#byCall.set(call, first)
  }

  /** For the outermost transaction that the call begins next, in each of its attempts. */
  take(call: object): FirstStatement | null {
    const first = this.#byCall.get(call)
    if (first === undefined) return null
    this.#byCall.delete(call)
    return first
  }
}

/** Prepares it for the session, by a name of this package. */
export function toPrepare(name: string, { text, types }: FirstStatement): string {
  return `prepare ${name}(${types}) as ${text}`
}

/** @throws TypeError for a parameter that would have to be escaped */
export function toExecute(name: string, { parameters }: FirstStatement): string {
  const values = parameters.map((value) => {
    if (/^[\w-]*$/.test(value)) return `'${value}'`
    throw new TypeError('A parameter of a first statement has letters, digits, - and _ only')
  })
  return `execute ${name}(${values.join()})`
}
