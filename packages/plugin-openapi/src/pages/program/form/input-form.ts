import { type Schema, withoutNull } from '../model/schema.ts'
import { h, newId, replace } from '../view/dom.ts'
import { buildField } from './build-field.ts'
import { Draft, type Field, InputError } from './field.ts'
import { findLost } from './lost.ts'
import { jsonOf, readJson } from './simple-fields.ts'

/** The input of a call: as a form of its schema, or as JSON. */
export class InputForm {
  readonly element: HTMLElement
  readonly #body = h('div', {})
  readonly #toggle: HTMLButtonElement
  readonly #error = h('p', { class: 'error', role: 'alert', hidden: true })
  #schema: Schema | null = null
  #field: Field | null = null
  #isJson = false
  /** What was there before a wire without an input. */
  #before: unknown

  constructor() {
    this.#toggle = h('button', { type: 'button', class: 'small', click: () => this.#switch() })
    this.element = h('div', { class: 'input' }, this.#body, this.#error, this.#toggle)
  }

  /** Another wire may take another input: what both have is kept, also what cannot be read. */
  show(schema: Schema | null): void {
    if (this.#field !== null) this.#before = this.#field.read(true)
    this.#error.hidden = true
    // No input at all is what an empty form sends.
    this.#schema = schema === null ? null : withoutNull(schema)
    this.#render(this.#before)
  }

  /** The input; undefined for none. @throws InputError, which is shown */
  read(): unknown {
    this.#error.hidden = true
    try {
      return this.#field?.read()
    } catch (error) {
      if (error instanceof InputError) {
        this.#say(error.message)
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
    const lost = this.#isJson && value !== undefined ? this.#findLost(value) : null
    if (lost !== null) return this.#say(`The form has no place for ${lost} as it is: change it, or send it as JSON`)
    this.#isJson = !this.#isJson
    this.#render(value)
    this.#body.querySelector<HTMLElement>('input, select, textarea')?.focus()
  }

  #say(message: string): void {
    replace(this.#error, message)
    this.#error.hidden = false
  }

  /** What the form would not send. */
  #findLost(value: unknown): string | null {
    return this.#schema === null ? null : findLost(value, toForm(this.#schema, value).read(true))
  }

  #render(initial: unknown): void {
    // No form can show half of a document.
    if (initial instanceof Draft) this.#isJson = true
    this.#toggle.hidden = this.#schema === null
    replace(this.#toggle, this.#isJson ? 'Edit as a form' : 'Edit as JSON')
    if (this.#schema === null) {
      this.#field = null
      return replace(this.#body, h('p', { class: 'quiet' }, 'It takes no input.'))
    }
    this.#field = this.#isJson ? jsonEditor(initial) : toForm(this.#schema, initial)
    replace(this.#body, this.#field.element)
  }
}

function toForm(schema: Schema, initial: unknown): Field {
  return buildField({ schema, label: 'Input', isRequired: true, initial, depth: 0 })
}

function jsonEditor(initial: unknown): Field {
  const id = newId('json')
  const control = h('textarea', { id, rows: 10, spellcheck: 'false' })
  control.value = jsonOf(initial)
  return {
    element: h('div', { class: 'field' }, h('label', { for: id }, 'Input as JSON'), control),
    read: (keepsDrafts) => readJson('The input', control, keepsDrafts),
  }
}
