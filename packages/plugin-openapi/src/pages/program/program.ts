import { buildModel } from './model/build-model.ts'
import { type Documents, loadDocuments } from './model/documents.ts'
import type { Model } from './model/model.ts'
import { findDevelopmentUsers } from './session/development-users.ts'
import { Session } from './session/session.ts'
import { aboutView, connectionView } from './view/about-view.ts'
import { type Child, h, replace } from './view/dom.ts'
import { eventView } from './view/event-view.ts'
import { identityView } from './view/identity-view.ts'
import { listView } from './view/list-view.ts'
import { logView } from './view/log-view.ts'
import { operationView } from './view/operation-view.ts'
import { findPlace, groupsOf, nameOf, type Place } from './view/places.ts'
import { topicView } from './view/topic-view.ts'

/** The page of an app: to read, or with a session to call it. */
export async function runProgram(mode: 'console' | 'reader'): Promise<void> {
  try {
    const documents = await loadDocuments(document.documentElement)
    const model = buildModel(documents.openapi, documents.asyncapi)
    const shown =
      mode === 'console' ? model : { ...model, operations: model.operations.filter(({ ws }) => ws !== null) }
    const root = documents.root
    const session = mode === 'console' && root !== null ? new Session(model, root) : null
    const development =
      session === null || root === null ? null : await findDevelopmentUsers(root, model.operations).catch(() => null)
    show(
      shown,
      documents,
      session,
      session === null ? null : identityView(session, development, model.address !== null),
    )
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error))
  }
}

function fail(message: string): void {
  replace(document.body, h('main', { id: 'main' }, h('h1', {}, 'Nothing to show'), h('p', { role: 'alert' }, message)))
}

function show(model: Model, { httpPage }: Documents, session: Session | null, identity: HTMLElement | null): void {
  const groups = groupsOf(model)
  const list = listView(groups)
  const main = h('main', { id: 'main', tabindex: -1 })
  const name = session === null ? 'WebSocket' : 'console'
  document.title = `${model.title}: ${name}`
  replace(
    document.body,
    h('a', { class: 'skip', href: '#main', click: skipTo(main) }, 'Skip to the content'),
    h(
      'header',
      { class: 'top' },
      h('h1', {}, model.title, h('span', { class: 'version' }, model.version)),
      session === null
        ? h(
            'nav',
            { 'aria-label': 'Pages' },
            httpPage !== null && h('a', { href: httpPage }, 'HTTP'),
            h('a', { href: '#about', 'aria-current': 'page' }, 'WebSocket'),
          )
        : h('span', { class: 'badge' }, 'console, for development'),
    ),
    identity,
    h(
      'div',
      { class: session === null ? 'columns' : 'columns with-log' },
      list.element,
      main,
      session === null ? null : logView(session),
    ),
  )
  const first = groups[0]?.places[0] ?? { kind: 'about' }
  const about: Place = { kind: 'about' }
  const go = (hasFocus: boolean): void => {
    const place = findPlace(groups, location.hash) ?? (session === null ? about : first)
    list.select(findPlace(groups, location.hash) ?? place)
    replace(main, ...contentOf(place, model, session))
    document.title = `${nameOf(place)}, ${model.title}: ${name}`
    if (!hasFocus) return
    main.focus()
    window.scrollTo({ top: 0 })
  }
  window.addEventListener('hashchange', () => go(true))
  go(false)
}

/** Without a change of the hash, which says what is shown. */
function skipTo(main: HTMLElement): (event: Event) => void {
  return (event) => {
    event.preventDefault()
    main.focus()
  }
}

function contentOf(place: Place, model: Model, session: Session | null): readonly Child[] {
  switch (place.kind) {
    case 'operation':
      return operationView(place.operation, session)
    case 'event':
      return eventView(place.event, session !== null)
    case 'topic':
      return topicView(place.topic, session)
    case 'connection':
      return connectionView(model)
    default:
      return aboutView(model)
  }
}
