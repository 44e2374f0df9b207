/** The value of a variable, or what is wrong with its text. */
export type Reading<T> = { readonly ok: true; readonly value: T } | FailedReading

export interface FailedReading {
  readonly ok: false
  /** Follows the variable's name. Never holds the value. */
  readonly message: string
  /** The message is about one entry of a list. */
  readonly ofEntry?: boolean
}

/** Turns the text of an environment variable into a value, strictly. */
export interface Reader<out T> {
  /** What the text must be: `an integer from 0 to 65535`. */
  readonly expects: string
  read(text: string): Reading<T>
  /** The text of a value, for documentation. */
  show(value: T): string
}

export const failed = (message: string): FailedReading => ({ ok: false, message })
