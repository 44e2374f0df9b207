import { offeredBy } from '../model/example.ts'
import { listOf, pretty, textOf } from '../model/json.ts'
import { kindOf, type Schema, summaryOf, withoutNull } from '../model/schema.ts'
import { h, newId } from '../view/dom.ts'
import { emptyBox } from './checkbox.ts'
import { Draft, type Field, type FieldOptions, InputError } from './field.ts'
import { findLostNumber, parseNumber } from './numbers.ts'

const notSent = 'not sent'

interface Labelled {
  readonly id: string
  readonly hintId: string
  wrap(control: HTMLElement, beside?: HTMLElement | null): HTMLElement
}

/** A label, and a hint of what is expected. */
function labelled({ schema, label, isRequired }: FieldOptions): Labelled {
  const id = newId('field')
  const hintId = `${id}-hint`
  return {
    id,
    hintId,
    wrap: (control, beside = null) =>
      h(
        'div',
        { class: 'field' },
        h('label', { for: id }, label, isRequired ? null : h('span', { class: 'tag' }, 'optional')),
        control,
        beside,
        h('p', { class: 'hint', id: hintId }, hintOf(schema)),
      ),
  }
}

export function hintOf(schema: Schema): string {
  const { node } = schema
  const description = textOf(node['description']) || textOf(withoutNull(schema).node['description'])
  return [
    summaryOf(schema),
    ...(node['default'] === undefined ? [] : [`default ${JSON.stringify(node['default'])}`]),
    ...(node['deprecated'] === true ? ['deprecated'] : []),
    ...(description === '' ? [] : [description]),
  ].join(' · ')
}

/** What a control shows first: the value that was there, or for one that has to be sent what the schema offers. */
function initialOf({ initial, isRequired, schema }: FieldOptions): unknown {
  if (initial !== undefined) return initial
  return isRequired ? offeredBy(schema) : undefined
}

function placeholderOf({ schema }: FieldOptions): string | null {
  const [example] = listOf(schema.node['examples'])
  return example === undefined ? null : `such as ${JSON.stringify(example)}`
}

export function textField(options: FieldOptions): Field {
  const { id, hintId, wrap } = labelled(options)
  const initial = initialOf(options)
  const control = h('input', {
    id,
    type: 'text',
    'aria-describedby': hintId,
    placeholder: placeholderOf(options),
    autocomplete: 'off',
    spellcheck: 'false',
    input: () => showBox(),
  })
  const { isRequired, schema } = options
  const box = emptyBox(isRequired, withoutNull(schema).node['minLength'], initial === '')
  const showBox = (): void => {
    if (box !== null) box.element.hidden = control.value !== ''
  }
  control.value = initial instanceof Draft ? initial.text : textOf(initial)
  showBox()
  return {
    element: wrap(control, box?.element),
    read: () => (control.value === '' && !isRequired && box?.input.checked !== true ? undefined : control.value),
  }
}

export function numberField(options: FieldOptions): Field {
  const { id, hintId, wrap } = labelled(options)
  const initial = initialOf(options)
  const isInteger = kindOf(options.schema) === 'integer'
  const control = h('input', {
    id,
    // Text, not number: that would hide what is not a number, and read the decimal sign of the system.
    type: 'text',
    inputmode: isInteger ? 'numeric' : 'decimal',
    'aria-describedby': hintId,
    placeholder: placeholderOf(options),
    autocomplete: 'off',
  })
  control.value = initial instanceof Draft ? initial.text : typeof initial === 'number' ? String(initial) : ''
  return {
    element: wrap(control),
    read: (keepsDrafts) => {
      const text = control.value.trim()
      if (text === '') return undefined
      const parsed = parseNumber(text)
      if ('value' in parsed) return parsed.value
      if (keepsDrafts === true) return new Draft(control.value)
      throw new InputError(`${options.label}: ${parsed.problem}`, control)
    },
  }
}

/** One of some values. */
export function selectField(options: FieldOptions, values: readonly unknown[]): Field {
  const { id, hintId, wrap } = labelled(options)
  const initial = JSON.stringify(initialOf(options))
  const offered = options.isRequired ? values : [undefined, ...values]
  const control = h(
    'select',
    { id, 'aria-describedby': hintId },
    ...offered.map((value, at) => {
      const text = value === undefined ? notSent : typeof value === 'string' ? value : JSON.stringify(value)
      return h('option', { value: at, selected: value !== undefined && JSON.stringify(value) === initial }, text)
    }),
  )
  return { element: wrap(control), read: () => offered[Number(control.value)] }
}

/** Any value, as JSON. */
export function jsonField(options: FieldOptions): Field {
  const { id, hintId, wrap } = labelled(options)
  const initial = initialOf(options)
  const control = h('textarea', { id, rows: 4, 'aria-describedby': hintId, spellcheck: 'false', placeholder: 'JSON' })
  control.value = jsonOf(initial)
  return { element: wrap(control), read: (keepsDrafts) => readJson(options.label, control, keepsDrafts) }
}

/** What an editor of JSON shows of a value. */
export function jsonOf(value: unknown): string {
  if (value instanceof Draft) return value.text
  return value === undefined ? '' : pretty(value)
}

/** The JSON in a control; undefined for nothing. @throws InputError unless it keeps drafts */
export function readJson(label: string, control: HTMLTextAreaElement, keepsDrafts = false): unknown {
  try {
    return parseJson(label, control)
  } catch (error) {
    if (keepsDrafts && error instanceof InputError) return new Draft(control.value)
    throw error
  }
}

function parseJson(label: string, control: HTMLTextAreaElement): unknown {
  control.removeAttribute('aria-invalid')
  if (control.value.trim() === '') return undefined
  try {
    const value: unknown = JSON.parse(control.value)
    const lost = findLostNumber(control.value)
    if (lost === null) return value
    control.setAttribute('aria-invalid', 'true')
    throw new InputError(`${label}: ${lost}`, control)
  } catch (error) {
    if (error instanceof InputError) throw error
    control.setAttribute('aria-invalid', 'true')
    throw new InputError(`${label} is not JSON: ${error instanceof Error ? error.message : ''}`, control)
  }
}

/** A value that cannot be another one. */
export function constField(options: FieldOptions): Field {
  const { wrap, id, hintId } = labelled(options)
  const value = options.schema.node['const']
  const control = h('input', { id, type: 'text', readonly: true, 'aria-describedby': hintId })
  control.value = typeof value === 'string' ? value : JSON.stringify(value)
  return { element: wrap(control), read: () => value }
}
