// Elements are made of names and text: nothing here reads HTML, so that a description cannot add any.

export type Child = Node | string | number | null | false
type Listener = (event: Event) => void
type Props = Readonly<Record<string, string | number | boolean | null | undefined | Listener>>

/** An element. A function is a listener of the event of that name; true is an attribute without a value; false, null and undefined are none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name, value)
    else setAttribute(element, name, value)
  }
  append(element, children)
  return element
}

export function setAttribute(
  element: Element,
  name: string,
  value: string | number | boolean | null | undefined,
): void {
  if (value === false || value === null || value === undefined) element.removeAttribute(name)
  else element.setAttribute(name, value === true ? '' : String(value))
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children)
    if (child !== null && child !== false) element.append(typeof child === 'number' ? String(child) : child)
}

export function replace(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren()
  append(element, children)
}

let last = 0

/** Another one each time. */
export function newId(prefix: string): string {
  last += 1
  return `${prefix}-${last}`
}

/** Rows of a name and what it is; a row without a value is left out. */
export function facts(rows: ReadonlyArray<readonly [name: string, value: Child]>): HTMLElement {
  const shown = rows.filter(([, value]) => value !== '' && value !== null && value !== false)
  return h(
    'dl',
    { class: 'facts' },
    ...shown.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  )
}

export function table(heads: readonly string[], rows: ReadonlyArray<readonly Child[]>, label: string): HTMLElement {
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', { scope: 'col' }, head)))),
      h('tbody', {}, ...rows.map((cells) => h('tr', {}, ...cells.map((cell) => h('td', {}, cell))))),
    ),
  )
}

/** Text with its line breaks and spaces. It can be reached by the keyboard, since it may have to be scrolled. */
export function code(text: string, label: string): HTMLElement {
  return h('pre', { tabindex: 0, role: 'region', 'aria-label': label }, h('code', {}, text))
}
