import { offeredBy } from '../model/example.ts'
import { fieldsOf, isFields, listOf, textOf } from '../model/json.ts'
import {
  isNullable,
  itemsOf,
  kindOf,
  propertiesOf,
  type Schema,
  summaryOf,
  titleOf,
  variantsOf,
  withoutNull,
} from '../model/schema.ts'
import { h, newId, replace } from '../view/dom.ts'
import { checkbox, emptyBox } from './checkbox.ts'
import { type Build, Draft, type Field, type FieldOptions } from './field.ts'
import { hintOf } from './simple-fields.ts'

/** The fields of an object. An optional one is sent if its box is checked. */
export function objectField(options: FieldOptions, build: Build): Field {
  const { schema, label, isRequired, initial, depth } = options
  const given = initial instanceof Draft ? undefined : initial
  const value = given ?? (isRequired ? offeredBy(schema) : undefined)
  const body = h('div', { class: 'fields' })
  let parts: ReadonlyArray<{ readonly name: string; readonly field: Field }> = []
  // Made when it is wanted: an object may contain itself.
  const fill = (): void => {
    parts = propertiesOf(schema).map(({ name, schema: each, isRequired: isNeeded }) => ({
      name,
      field: build({
        schema: each,
        label: name,
        isRequired: isNeeded,
        initial: Object.hasOwn(fieldsOf(value), name) ? fieldsOf(value)[name] : undefined,
        depth: depth + 1,
      }),
    }))
    replace(body, ...parts.map(({ field }) => field.element))
    if (parts.length === 0) replace(body, h('p', { class: 'hint' }, 'no fields'))
  }
  const box = isRequired ? null : checkbox('send it', isFields(value), (isOn) => (isOn ? fill() : replace(body)))
  if (box === null || box.input.checked) fill()
  return {
    element: group(label, options, box?.element ?? null, body),
    read: (keepsDrafts) => {
      if (box !== null && !box.input.checked) return undefined
      const entries = parts.map(({ name, field }) => [name, field.read(keepsDrafts)] as const)
      return Object.fromEntries(entries.filter(([, each]) => each !== undefined))
    },
  }
}

/** A list, one field for each item. */
export function arrayField(options: FieldOptions, build: Build): Field {
  const { schema, label, isRequired, initial, depth } = options
  const items: Field[] = []
  const body = h('div', { class: 'fields' })
  const box = emptyBox(isRequired, withoutNull(schema).node['minItems'], Array.isArray(initial) && initial.length === 0)
  const showBox = (): void => {
    if (box !== null) box.element.hidden = items.length > 0
  }
  const add = (value: unknown, hasFocus: boolean): void => {
    const field = build({
      schema: itemsOf(schema),
      label: `${label} ${items.length + 1}`,
      isRequired: true,
      initial: value,
      depth: depth + 1,
    })
    items.push(field)
    showBox()
    const row = h(
      'div',
      { class: 'item' },
      field.element,
      h(
        'button',
        {
          type: 'button',
          class: 'small',
          'aria-label': `Remove item ${items.length} of ${label}`,
          click: () => {
            items.splice(items.indexOf(field), 1)
            row.remove()
            showBox()
            more.focus()
          },
        },
        'Remove',
      ),
    )
    body.append(row)
    if (hasFocus) row.querySelector<HTMLElement>('input, select, textarea')?.focus()
  }
  const more = h('button', { type: 'button', class: 'small', click: () => add(undefined, true) }, `Add to ${label}`)
  for (const each of listOf(initial ?? (isRequired ? offeredBy(schema) : undefined))) add(each, false)
  return {
    element: group(label, options, box?.element ?? null, body, more),
    read: (keepsDrafts) =>
      items.length === 0 && !isRequired && box?.input.checked !== true
        ? undefined
        : items.map((field) => field.read(keepsDrafts)),
  }
}

/** One of several forms, null among them. */
export function choiceField(options: FieldOptions, build: Build): Field {
  const { schema, label, isRequired, initial, depth } = options
  const forms: ReadonlyArray<Schema | null | undefined> = [
    ...(isRequired ? [] : [undefined]),
    ...variantsOf(schema),
    ...(isNullable(schema) ? [null] : []),
  ]
  const body = h('div', { class: 'fields' })
  const id = newId('choice')
  let field: Field | null = null
  const show = (form: Schema | null | undefined, value: unknown): void => {
    field = form
      ? build({ schema: form, label: labelOf(form, label), isRequired: true, initial: value, depth: depth + 1 })
      : null
    replace(body, field?.element ?? null)
  }
  const select = h(
    'select',
    { id, change: () => show(forms[Number(select.value)], undefined) },
    ...forms.map((form, at) => h('option', { value: at }, nameOf(form, at))),
  )
  const fits = forms.findIndex((form) => isFor(form, initial))
  select.value = String(Math.max(0, fits))
  show(forms[Math.max(0, fits)], initial)
  return {
    element: group(label, options, h('div', { class: 'field' }, h('label', { for: id }, 'Form'), select), body),
    read: (keepsDrafts) => {
      const form = forms[Number(select.value)]
      return form === null ? null : form === undefined ? undefined : field?.read(keepsDrafts)
    },
  }
}

function labelOf(form: Schema, label: string): string {
  return titleOf(form) || label
}

function nameOf(form: Schema | null | undefined, at: number): string {
  if (form === undefined) return 'not sent'
  if (form === null) return 'null'
  const constants = propertiesOf(form).filter(({ schema }) => kindOf(schema) === 'const')
  const said = constants.map(({ name, schema }) => `${name} ${JSON.stringify(schema.node['const'])}`).join(', ')
  return titleOf(form) || said || (kindOf(form) === 'object' ? `object ${at + 1}` : summaryOf(form))
}

/** Is a value that was there one of this form? */
function isFor(form: Schema | null | undefined, value: unknown): boolean {
  if (form === undefined || form === null) return form === value
  if (value === undefined || value === null) return false
  if (value instanceof Draft) return ['integer', 'map', 'number', 'unknown'].includes(kindOf(withoutNull(form)))
  switch (kindOf(withoutNull(form))) {
    case 'object':
      return (
        isFields(value) &&
        propertiesOf(form).every(
          ({ name, schema }) => kindOf(schema) !== 'const' || fieldsOf(value)[name] === schema.node['const'],
        )
      )
    case 'map':
      return isFields(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'const':
      return form.node['const'] === value
    case 'enum':
      return listOf(form.node['enum']).includes(value)
    case 'unknown':
      return true
    default:
      return typeof value === textOf(withoutNull(form).node['type'])
  }
}

/** Without a label for the outermost: the form has a heading. */
function group(
  label: string,
  { schema, depth }: FieldOptions,
  ...children: ReadonlyArray<HTMLElement | null>
): HTMLElement {
  if (depth === 0) return h('div', { class: 'fields' }, ...children)
  return h('fieldset', {}, h('legend', {}, label), h('p', { class: 'hint' }, hintOf(schema)), ...children)
}
