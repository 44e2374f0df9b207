import type { DevelopmentUsers } from '../session/development-users.ts'
import type { Session } from '../session/session.ts'
import { cleanToken, pasted, renewing } from '../session/source.ts'
import { h, newId, replace } from './dom.ts'

/** Seconds that a token of a development user may be valid for. */
const lifetimes = [
  [300, '5 minutes'],
  [20, '20 seconds'],
  [43_200, '12 hours'],
] as const

/** Who is signed in, how long the token is valid, and the connection. */
export function identityView(session: Session, development: DevelopmentUsers | null, hasSocket: boolean): HTMLElement {
  const signedOut = h('div', { class: 'sign-in' }, development && userForm(session, development), tokenForm(session))
  const signedIn = signedInView(session)
  const connection = hasSocket ? connectionView(session) : null
  const show = (): void => {
    const hadFocus =
      document.activeElement !== null && [signedOut, signedIn].some((each) => each.contains(document.activeElement))
    const isIn = session.user !== null
    const changes = signedIn.hidden === isIn
    signedOut.hidden = isIn
    signedIn.hidden = !isIn
    // The control that had the focus is hidden now.
    if (hadFocus && changes) (isIn ? signedIn : signedOut).querySelector<HTMLElement>('select, button, input')?.focus()
  }
  show()
  session.changed.on(show)
  return h('section', { class: 'identity', 'aria-label': 'Who calls' }, signedOut, signedIn, connection)
}

function userForm(session: Session, { users, token }: DevelopmentUsers): HTMLElement {
  const userId = newId('user')
  const lifeId = newId('lifetime')
  const user = h('select', { id: userId }, ...users.map(({ username }) => h('option', { value: username }, username)))
  const life = h('select', { id: lifeId }, ...lifetimes.map(([seconds, name]) => h('option', { value: seconds }, name)))
  return h(
    'form',
    {
      class: 'row',
      'aria-label': 'Sign in without a password',
      submit: (event) => {
        event.preventDefault()
        const [username, seconds] = [user.value, Number(life.value)]
        session.signIn(renewing(username, () => token(username, seconds)))
      },
    },
    h('label', { for: userId }, 'Development user'),
    user,
    h('label', { for: lifeId }, 'Token valid for'),
    life,
    h('button', { type: 'submit', class: 'main' }, 'Sign in'),
  )
}

function tokenForm(session: Session): HTMLElement {
  const id = newId('token')
  // A password: it is not shown, and not offered again by the browser.
  const input = h('input', { id, type: 'password', autocomplete: 'off', spellcheck: 'false', placeholder: 'eyJ…' })
  const error = h(
    'p',
    { class: 'error', role: 'alert', hidden: true },
    'A token is one word: paste it without anything else.',
  )
  return h(
    'form',
    {
      class: 'row',
      'aria-label': 'Use a token',
      submit: (event) => {
        event.preventDefault()
        const token = cleanToken(input.value)
        error.hidden = token !== null
        if (token === null) return input.focus()
        input.value = ''
        session.signIn(pasted(token))
      },
    },
    h('label', { for: id }, 'or a token'),
    input,
    h('button', { type: 'submit' }, 'Use it'),
    error,
  )
}

function signedInView(session: Session): HTMLElement {
  const name = h('strong', {})
  const roles = h('span', { class: 'roles' })
  const life = h('span', { class: 'life' })
  const meter = h('progress', { max: 1, value: 1, 'aria-label': 'What is left of the token' })
  const error = h('p', { class: 'error', role: 'alert' })
  const renew = h('button', { type: 'button', click: () => session.renew() }, 'Renew now')
  const automatic = h('input', {
    type: 'checkbox',
    change: () => {
      session.renewsByItself = automatic.checked
    },
  })
  automatic.checked = session.renewsByItself
  const showLife = (): void => {
    const { claims = null } = session.user ?? {}
    const { expiresAt = null, issuedAt = null } = claims ?? {}
    const left = expiresAt === null ? null : expiresAt - Date.now()
    life.textContent =
      left === null ? 'Its expiry is not known' : left > 0 ? `Token expires in ${sayTime(left)}` : 'Token expired'
    meter.hidden = left === null || issuedAt === null
    if (left !== null && expiresAt !== null && issuedAt !== null)
      meter.value = Math.max(0, Math.min(1, left / (expiresAt - issuedAt)))
  }
  const show = (): void => {
    const { user } = session
    if (user === null) return
    replace(name, user.claims?.name || user.source.name)
    replace(roles, ...(session.roles ?? []).flatMap((role) => [h('span', { class: 'badge' }, role), ' ']))
    replace(error, user.error ?? '')
    error.hidden = user.error === null
    renew.hidden = !user.source.canRenew
    showLife()
  }
  show()
  session.changed.on(show)
  setInterval(showLife, 1_000)
  return h(
    'div',
    { class: 'signed-in' },
    h('p', { class: 'who' }, 'Signed in as ', name, ' ', roles),
    h(
      'div',
      { class: 'row' },
      life,
      meter,
      renew,
      h('label', { class: 'check' }, automatic, 'renew by itself'),
      h('button', { type: 'button', click: () => session.signOut() }, 'Sign out'),
    ),
    error,
  )
}

/** `4:05`, `11:59:58`. */
function sayTime(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const shown = parts[0] === 0 ? parts.slice(1) : parts
  return shown.map((part, at) => (at === 0 ? String(part) : String(part).padStart(2, '0'))).join(':')
}

const stateNames = {
  idle: 'not connected',
  connecting: 'connecting',
  open: 'connected',
  waiting: 'waiting for the next attempt',
  closed: 'closed',
} as const

function connectionView(session: Session): HTMLElement {
  const state = h('span', { class: 'state' })
  const button = h('button', {
    type: 'button',
    click: () => (isOff() ? session.connect() : session.disconnect()),
  })
  const isOff = (): boolean => session.state.status === 'idle' || session.state.status === 'closed'
  const show = (): void => {
    const { status, closure } = session.state
    const ended = closure === null || status === 'open' ? '' : ` (${`${closure.code} ${closure.reason}`.trim()})`
    replace(state, `WebSocket ${stateNames[status]}${ended}`)
    state.dataset['status'] = status
    replace(button, isOff() ? 'Connect' : 'Disconnect')
  }
  show()
  session.changed.on(show)
  return h('div', { class: 'row connection' }, state, button)
}
