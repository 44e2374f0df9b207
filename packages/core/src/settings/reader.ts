/** The value of a variable, or what is wrong with it. */
export type Reading<T> = { readonly ok: true; readonly value: T } | FailedReading

export interface FailedReading {
  readonly ok: false
  /** Continues after the name of the variable. Never contains the value. */
  readonly message: string
  /** The message is about one entry of a list. */
  readonly ofEntry?: boolean
}

/** Parses the string of an environment variable strictly. */
export interface Reader<out T> {
  /** Required form: `an integer from 0 to 65535`. */
  readonly expects: string
  read(text: string): Reading<T>
  /** A value as a string, for documentation. */
  show(value: T): string
}

export const failed = (message: string): FailedReading => ({ ok: false, message })
