import { pretty } from '../model/json.ts'
import { type Schema, withoutNull } from '../model/schema.ts'
import { h, newId, replace } from '../view/dom.ts'
import { buildField } from './build-field.ts'
import { type Field, InputError } from './field.ts'
import { readJson } from './simple-fields.ts'

/** The input of a call: as a form of its schema, or as JSON. */
export class InputForm {
  readonly element: HTMLElement
  readonly #body = h('div', {})
  readonly #toggle: HTMLButtonElement
  readonly #error = h('p', { class: 'error', role: 'alert', hidden: true })
  #schema: Schema | null = null
  #field: Field | null = null
  #isJson = false

  constructor() {
    this.#toggle = h('button', { type: 'button', class: 'small', click: () => this.#switch() })
    this.element = h('div', { class: 'input' }, this.#body, this.#error, this.#toggle)
  }

  /** Another wire may take another input: what both have is kept. */
  show(schema: Schema | null): void {
    const before = this.#peek()
    // No input at all is what an empty form sends.
    this.#schema = schema === null ? null : withoutNull(schema)
    this.#render(before)
  }

  /** The input; undefined for none. @throws InputError, which is shown */
  read(): unknown {
    this.#error.hidden = true
    try {
      return this.#field?.read()
    } catch (error) {
      if (error instanceof InputError) {
        replace(this.#error, error.message)
        this.#error.hidden = false
        error.element.focus()
      }
      throw error
    }
  }

  #switch(): void {
    let value: unknown
    try {
      value = this.read()
    } catch (error) {
      if (error instanceof InputError) return
      throw error
    }
    this.#isJson = !this.#isJson
    this.#render(value)
    this.#body.querySelector<HTMLElement>('input, select, textarea')?.focus()
  }

  /** What has been typed so far, if it is a value. */
  #peek(): unknown {
    try {
      return this.#field?.read()
    } catch (error) {
      if (error instanceof InputError) return undefined
      throw error
    }
  }

  #render(initial: unknown): void {
    this.#toggle.hidden = this.#schema === null
    replace(this.#toggle, this.#isJson ? 'Edit as a form' : 'Edit as JSON')
    if (this.#schema === null) {
      this.#field = null
      return replace(this.#body, h('p', { class: 'quiet' }, 'It takes no input.'))
    }
    this.#field = this.#isJson
      ? jsonEditor(initial)
      : buildField({ schema: this.#schema, label: 'Input', isRequired: true, initial, depth: 0 })
    replace(this.#body, this.#field.element)
  }
}

function jsonEditor(initial: unknown): Field {
  const id = newId('json')
  const control = h('textarea', { id, rows: 10, spellcheck: 'false' })
  control.value = initial === undefined ? '' : pretty(initial)
  return {
    element: h('div', { class: 'field' }, h('label', { for: id }, 'Input as JSON'), control),
    read: () => readJson('The input', control),
  }
}
