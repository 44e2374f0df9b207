import { pretty } from '../model/json.ts'
import { sayDemands, type TopicInfo } from '../model/model.ts'
import type { Session } from '../session/session.ts'
import { nameOf } from '../session/topics.ts'
import { type Child, facts, h, newId, replace } from './dom.ts'

/** A topic. With a session it can be subscribed to. */
export function topicView(topic: TopicInfo, session: Session | null): readonly Child[] {
  const { pattern, subscribe, presence, resume, history, slow, demands, steps } = topic
  return [
    h('h2', {}, pattern),
    facts([
      ['Subscribe', subscribe ? 'by a client' : 'by the app alone'],
      ['Needs', sayDemands(demands)],
      ['History', history],
      ['Resume', resume ? 'a client that comes back gets what it has missed' : null],
      ['Presence', presence ? 'members see each other' : 'none'],
      ['Slow clients', slow],
      ['Steps', steps.join(', ')],
    ]),
    session === null || !subscribe ? null : subscribeForm(topic, session),
  ]
}

function subscribeForm({ pattern, presence }: TopicInfo, session: Session): HTMLElement {
  const id = newId('topic')
  const name = h('input', { id, type: 'text', autocomplete: 'off', spellcheck: 'false', input: () => show() })
  name.value = pattern
  // A topic without a variable has one name.
  name.readOnly = !/[{*]/.test(pattern)
  const button = h('button', { type: 'submit', class: 'main' })
  const status = h('p', { class: 'quiet' })
  const members = h('div', {})
  const isJoined = (): boolean => {
    const joined = session.topics.get(name.value)
    return joined !== undefined && joined.status !== 'ended'
  }
  const show = (): void => {
    const joined = session.topics.get(name.value)
    replace(button, isJoined() ? 'Unsubscribe' : 'Subscribe')
    replace(status, joined === undefined ? 'Not subscribed' : `${joined.status} ${joined.message}`.trim())
    replace(members, membersOf(joined?.members ?? null))
  }
  const element = h(
    'form',
    {
      class: 'send',
      'aria-label': `Subscribe to ${pattern}`,
      submit: (event) => {
        event.preventDefault()
        if (isJoined()) session.topics.unsubscribe(name.value)
        else session.subscribe(name.value, presence)
      },
    },
    h('div', { class: 'field' }, h('label', { for: id }, 'Topic'), name),
    h('div', { class: 'actions' }, button, status),
    presence && h('h3', {}, 'Members'),
    presence && members,
  )
  show()
  const off = session.changed.on(() => {
    // The page shows something else.
    if (!element.isConnected) return off()
    show()
  })
  return element
}

function membersOf(members: NonNullable<ReturnType<Session['topics']['get']>>['members']): Child {
  if (members === null) return h('p', { class: 'quiet' }, 'Subscribe to see them.')
  if (members.length === 0) return h('p', { class: 'quiet' }, 'No client')
  return h(
    'ul',
    { class: 'members' },
    ...members.map((member) =>
      h(
        'li',
        {},
        h('strong', {}, nameOf(member)),
        h('span', { class: 'quiet' }, ` ${pretty(member.info)} `),
        h('code', {}, member.connection),
      ),
    ),
  )
}
