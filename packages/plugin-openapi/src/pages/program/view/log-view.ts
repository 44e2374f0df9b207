import type { Activity, Entry } from '../session/activity.ts'
import type { Frame, FrameLog } from '../session/frames.ts'
import type { Session } from '../session/session.ts'
import { code, h, replace, setAttribute } from './dom.ts'

/** Replies, events and notes, or the raw frames: the newest first. */
export function logView(session: Session): HTMLElement {
  const { activity, frames } = session
  const views = [
    {
      title: 'Activity',
      list: activityList(activity),
      empty: h('p', { class: 'quiet' }, 'Replies and events appear here.'),
      clear: () => activity.clear(),
    },
    {
      title: 'Raw frames',
      list: frameList(frames),
      empty: h('p', { class: 'quiet' }, 'What is sent and received appears here, without tokens.'),
      clear: () => frames.clear(),
    },
  ] as const
  let shown: (typeof views)[number] = views[0]
  const buttons = views.map((view) =>
    h(
      'button',
      {
        type: 'button',
        class: 'small',
        click: () => {
          shown = view
          show()
        },
      },
      view.title,
    ),
  )
  const show = (): void => {
    for (const [at, view] of views.entries()) {
      view.list.hidden = view !== shown
      view.empty.hidden = view !== shown || view.list.childElementCount > 0
      const button = buttons[at]
      if (button !== undefined) setAttribute(button, 'aria-pressed', view === shown ? 'true' : 'false')
    }
  }
  show()
  activity.changed.on(show)
  frames.changed.on(show)
  return h(
    'section',
    { class: 'log', 'aria-label': 'Log' },
    h(
      'div',
      { class: 'row' },
      h('h2', {}, 'Log'),
      ...buttons,
      h('button', { type: 'button', class: 'small', click: () => shown.clear() }, 'Clear'),
    ),
    ...views.flatMap(({ list, empty }) => [list, empty]),
    announcer(activity),
  )
}

/** Tells those who do not see the log. */
function announcer(activity: Activity): HTMLElement {
  const status = h('p', { class: 'hidden', role: 'status' })
  activity.changed.on((entry) => {
    if (entry === null || entry.state === 'waiting') return
    const [line = ''] = entry.message.split('\n')
    replace(status, `${entry.title} ${entry.state === 'failed' ? 'failed' : ''} ${line}`)
  })
  return status
}

function activityList(activity: Activity): HTMLElement {
  const list = h('ol', { class: 'entries' })
  const elements = new Map<number, HTMLElement>()
  const show = (entry: Entry): void => {
    const element = entryView(entry, activity)
    const before = elements.get(entry.id)
    elements.set(entry.id, element)
    if (before === undefined) list.prepend(element)
    else before.replaceWith(element)
  }
  const render = (entry: Entry | null): void => {
    if (entry !== null) show(entry)
    const kept = new Set(activity.all.map(({ id }) => id))
    for (const [id, element] of elements) {
      if (kept.has(id)) continue
      element.remove()
      elements.delete(id)
    }
  }
  activity.changed.on(render)
  return list
}

function entryView(entry: Entry, activity: Activity): HTMLElement {
  const { at, kind, title, state, facts, message, data } = entry
  const marks = { ok: 'ok', failed: 'failed', waiting: '…', info: kind === 'event' ? 'event' : '' }
  return h(
    'li',
    { class: `entry ${kind}`, 'data-state': state },
    h(
      'p',
      { class: 'head' },
      h('time', { datetime: new Date(at).toISOString() }, sayClock(at)),
      marks[state] !== '' && h('span', { class: 'mark' }, marks[state]),
      h('strong', {}, title),
      ...facts.map((fact) => h('span', { class: 'badge' }, fact)),
    ),
    message !== '' && h('p', { class: 'text' }, message),
    data === undefined ? null : code(activity.textOf(entry), `Data of ${title}`),
  )
}

function frameList(frames: FrameLog): HTMLElement {
  const list = h('ol', { class: 'entries frames' })
  frames.changed.on((frame) => {
    if (frame === null) return replace(list)
    list.prepend(frameView(frame))
    while (list.childElementCount > frames.all.length) list.lastElementChild?.remove()
  })
  return list
}

function frameView({ at, wire, direction, text, bytes }: Frame): HTMLElement {
  const name = `${direction === 'out' ? 'sent' : 'received'} over ${wire === 'ws' ? 'WebSocket' : 'HTTP'}`
  return h(
    'li',
    { class: 'entry', 'data-direction': direction },
    h(
      'p',
      { class: 'head' },
      h('time', { datetime: new Date(at).toISOString() }, sayClock(at)),
      h('strong', {}, name),
      bytes !== null && h('span', { class: 'badge' }, `${bytes} bytes`),
    ),
    code(text, `What was ${name}`),
  )
}

/** `20:31:07.120` in the time of the reader. */
function sayClock(at: number): string {
  const time = new Date(at)
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0'))
  return `${parts.join(':')}.${String(time.getMilliseconds()).padStart(3, '0')}`
}
