import type { Schema } from '../model/schema.ts'

/** A part of a form. */
export interface Field {
  readonly element: HTMLElement
  /** The value; undefined if it is not sent. `keepsDrafts`: what cannot be read is a {@link Draft}. @throws InputError without it */
  read(keepsDrafts?: boolean): unknown
}

/** What has been typed and cannot be read, for another form to show it again. */
export class Draft {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export interface FieldOptions {
  readonly schema: Schema
  readonly label: string
  readonly isRequired: boolean
  /** Undefined: what the schema offers. */
  readonly initial: unknown
  readonly depth: number
}

export type Build = (options: FieldOptions) => Field

/** What a user has typed cannot be read as a value, such as half of a JSON document. Everything else the server decides. */
export class InputError extends Error {
  readonly element: HTMLElement

  constructor(message: string, element: HTMLElement) {
    super(message)
    this.element = element
  }
}
