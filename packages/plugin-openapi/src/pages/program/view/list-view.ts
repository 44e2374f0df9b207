import { h, newId, setAttribute } from './dom.ts'
import { type Group, hashOf, nameOf, type Place } from './places.ts'

export interface ListView {
  readonly element: HTMLElement
  /** Marks what is shown. */
  select(place: Place): void
}

const wide = '(min-width: 60rem)'

/** All that there is, with a filter. On a narrow screen it is folded. */
export function listView(groups: readonly Group[]): ListView {
  const filterId = newId('filter')
  const rows = groups.map((group) => {
    const items = group.places.map((place) => ({ place, element: item(place) }))
    const titleId = newId('group')
    const list = h('ul', { 'aria-labelledby': titleId }, ...items.map(({ element }) => element))
    return { items, element: h('div', { class: 'group' }, h('h2', { id: titleId }, group.title), list) }
  })
  const none = h('p', { class: 'quiet', role: 'status' })
  const filter = h('input', {
    id: filterId,
    type: 'search',
    autocomplete: 'off',
    placeholder: 'Filter',
    input: () => {
      const wanted = filter.value.trim().toLowerCase()
      let shown = 0
      for (const { items, element } of rows) {
        for (const each of items) {
          each.element.hidden = !textOf(each.place).includes(wanted)
          if (!each.element.hidden) shown += 1
        }
        element.hidden = items.every((each) => each.element.hidden)
      }
      none.textContent = shown === 0 ? 'Nothing has such a name.' : ''
    },
  })
  const screen = window.matchMedia(wide)
  const details = h(
    'details',
    {},
    h('summary', {}, 'Contents'),
    h('label', { for: filterId, class: 'hidden' }, 'Filter by name'),
    filter,
    none,
    ...rows.map(({ element }) => element),
  )
  details.open = screen.matches
  screen.addEventListener('change', () => {
    details.open = screen.matches
  })
  return {
    element: h('nav', { class: 'contents', 'aria-label': 'Contents' }, details),
    select: (place) => {
      for (const each of rows.flatMap(({ items }) => items)) {
        const link = each.element.querySelector('a')
        if (link !== null) setAttribute(link, 'aria-current', each.place === place ? 'page' : null)
      }
      if (!screen.matches) details.open = false
    },
  }
}

function item(place: Place): HTMLElement {
  return h(
    'li',
    {},
    h(
      'a',
      { href: hashOf(place) },
      h('span', { class: 'name' }, shortName(place)),
      ...badges(place).map((badge) => h('span', { class: 'badge' }, badge)),
    ),
  )
}

/** Of a request its path: the method is beside it. */
function shortName(place: Place): string {
  if (place.kind !== 'operation' || place.operation.pkgId !== null) return nameOf(place)
  return place.operation.http?.split(' ')[1] ?? nameOf(place)
}

function badges(place: Place): readonly string[] {
  if (place.kind === 'event') return [String(place.event.pkgId)]
  if (place.kind !== 'operation') return []
  const { pkgId, http } = place.operation
  return pkgId === null ? [http?.split(' ')[0] ?? ''] : [String(pkgId)]
}

function textOf(place: Place): string {
  const more = place.kind === 'operation' ? `${place.operation.http ?? ''} ${place.operation.summary}` : ''
  return `${nameOf(place)} ${badges(place).join(' ')} ${more}`.toLowerCase()
}
