import { CallError, createClient } from '@twinwire/client'
import type { createNotesApp } from '../src/app.ts'
import manifest from './manifest.json' with { type: 'json' }

//: if auth
// The link that the development server prints has a token. With another issuer this is where its login page comes in.
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? sessionStorage.getItem('token')
if (token !== null) sessionStorage.setItem('token', token)
history.replaceState(null, '', location.pathname)

//: end
/** Typed by the application: nothing of it is in the bundle. */
const client = createClient<ReturnType<typeof createNotesApp>>({
  manifest,
  //: if auth
  getToken: () => token,
  //: end
})

const list = find('notes', HTMLUListElement)
const input = find('text', HTMLInputElement)

client.onState(({ status }) => {
  //: if auth
  find('status', HTMLElement).textContent = status === 'closed' ? 'Signed out: open the link of the server' : status
  //: else
  find('status', HTMLElement).textContent = status
  //: end
})

find('add', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault()
  run(async () => {
    await client.call('ADD_NOTE', { text: input.value })
    input.value = ''
  })
})

// Subscribed first: a note that is added while the list is loaded arrives as an event. After a reconnect nothing is missing.
const subscription = client.subscribe('notes', {
  onEvent: ({ event, data }) => {
    if (event === 'NOTE_ADDED') show([data])
  },
  onGap: () => run(load),
})
run(async () => {
  await subscription.ready
  await load()
})

async function load(): Promise<void> {
  const notes = await client.call('LIST_NOTES')
  list.replaceChildren()
  show(notes.toReversed())
}

/** Each on top of the list, once. */
function show(notes: readonly { readonly id: number; readonly text: string }[]): void {
  for (const { id, text } of notes) {
    const item = document.createElement('li')
    item.id = `note-${id}`
    item.textContent = text
    if (document.getElementById(item.id) === null) list.prepend(item)
  }
}

/** Shows why it failed. */
function run(action: () => Promise<void>): void {
  const error = find('error', HTMLElement)
  action().then(
    () => {
      error.textContent = ''
    },
    (reason: unknown) => {
      error.textContent = reason instanceof CallError ? reason.msg : String(reason)
    },
  )
}

function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new TypeError(`The page has no #${id}`)
  return element
}
