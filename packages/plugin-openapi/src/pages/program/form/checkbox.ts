import { h } from '../view/dom.ts'

export interface Checkbox {
  readonly element: HTMLElement
  readonly input: HTMLInputElement
}

export function checkbox(text: string, isOn: boolean, change: (isOn: boolean) => void = () => {}): Checkbox {
  const input = h('input', { type: 'checkbox', change: () => change(input.checked) })
  input.checked = isOn
  return { input, element: h('label', { class: 'check' }, input, text) }
}

/** For an optional value that may be empty: else it is left out then. Null if an empty one is never sent, or always. */
export function emptyBox(isRequired: boolean, least: unknown, isOn: boolean): Checkbox | null {
  return isRequired || (typeof least === 'number' && least > 0) ? null : checkbox('sent even if empty', isOn)
}
