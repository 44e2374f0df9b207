import { InputError } from '../form/field.ts'
import { InputForm } from '../form/input-form.ts'
import { missingOf, type Operation } from '../model/model.ts'
import type { Session } from '../session/session.ts'
import { h, newId, replace } from './dom.ts'

type Wire = 'http' | 'ws'

/** The form of a call, and what sends it over either wire. */
export function sendView(operation: Operation, session: Session): HTMLElement {
  const wires: readonly Wire[] = [
    ...(operation.ws === null ? [] : ['ws' as const]),
    ...(operation.overHttp === null ? [] : ['http' as const]),
  ]
  let wire: Wire = wires[0] ?? 'http'
  let running: AbortController | null = null
  const form = new InputForm()
  const send = h('button', { type: 'submit', class: 'main' }, 'Send')
  const stop = h('button', { type: 'button', hidden: true, click: () => running?.abort() }, 'Stop')
  const note = h('p', { class: 'quiet' })
  const warning = h('p', { class: 'warning' })

  const showWire = (): void => {
    const { ws, overHttp } = operation
    const unsent = wire === 'http' ? (overHttp?.unsent ?? null) : null
    form.show(wire === 'ws' ? (ws?.input ?? null) : (overHttp?.input ?? null))
    send.disabled = unsent !== null
    replace(note, unsent ?? '')
    note.hidden = unsent === null
  }
  const showRoles = (): void => {
    const { roles } = session
    const missing = roles === null ? null : missingOf(operation.demands, roles)
    warning.hidden = missing === null
    if (missing === null) return
    const lacking = [...missing.roles, ...missing.oneOf.map((group) => `one of ${group.join(', ')}`)].join(', ')
    replace(warning, `You lack the role ${lacking}. The app will refuse the call; send it to see how.`)
  }
  const submit = async (): Promise<void> => {
    if (running !== null || send.disabled) return
    let input: unknown
    try {
      input = form.read()
    } catch (error) {
      if (error instanceof InputError) return
      throw error
    }
    running = new AbortController()
    stop.hidden = false
    await session.send(operation, wire, input, running.signal)
    running = null
    // It must not take the focus away.
    if (document.activeElement === stop) send.focus()
    stop.hidden = true
  }
  showWire()
  showRoles()
  const element = h(
    'form',
    {
      class: 'send',
      novalidate: true,
      'aria-label': `Send ${operation.name}`,
      submit: (event) => {
        event.preventDefault()
        void submit()
      },
      keydown: (event) => {
        if (event instanceof KeyboardEvent && event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault()
          void submit()
        }
      },
    },
    wires.length > 1 &&
      choice(wires, (chosen) => {
        wire = chosen
        showWire()
      }),
    form.element,
    note,
    warning,
    h('div', { class: 'actions' }, send, stop, h('span', { class: 'quiet keys' }, 'Ctrl+Enter sends')),
  )
  const off = session.changed.on(() => {
    // The page shows something else.
    if (!element.isConnected) return off()
    showRoles()
  })
  return element
}

function choice(wires: readonly Wire[], change: (wire: Wire) => void): HTMLElement {
  const name = newId('wire')
  return h(
    'fieldset',
    { class: 'wires' },
    h('legend', {}, 'Wire'),
    ...wires.map((wire, at) => {
      const input = h('input', { type: 'radio', name, value: wire, change: () => change(wire) })
      input.checked = at === 0
      return h('label', { class: 'check' }, input, wire === 'ws' ? 'WebSocket' : 'HTTP')
    }),
  )
}
