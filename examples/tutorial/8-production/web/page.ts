import { CallError, createClient } from '@twinwire/client'
import type { createShoppingApp } from '../src/app.ts'
import manifest from './manifest.json' with { type: 'json' }

// The link that the server prints has the token. With a real issuer this is where its login page comes in.
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? sessionStorage.getItem('token')
if (token !== null) sessionStorage.setItem('token', token)
history.replaceState(null, '', location.pathname)

// Typed by the app: the import above is of its type only, so nothing of the server is in the page.
const client = createClient<ReturnType<typeof createShoppingApp>>({ manifest, getToken: () => token })

const list = find('items', HTMLUListElement)
const input = find('name', HTMLInputElement)

client.onState(({ status }) => {
  find('status', HTMLElement).textContent = status === 'closed' ? 'signed out' : status
})

find('add', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault()
  run(async () => {
    await client.call('ADD_ITEM', { name: input.value })
    input.value = ''
  })
})

// Subscribed first: what is added while the list is loaded arrives as an event. After a lost connection the client continues where it was.
const subscription = client.subscribe('list', {
  onEvent: ({ event, data }) => {
    if (event === 'ITEM_CHANGED') show(data)
  },
  onPresence: () => run(showMembers),
  onGap: () => run(load),
})
run(async () => {
  await subscription.ready
  await load()
  await showMembers()
})

async function load(): Promise<void> {
  const items = await client.call('LIST_ITEMS')
  list.replaceChildren()
  for (const item of items) show(item)
}

async function showMembers(): Promise<void> {
  const members = await client.presence('list')
  find('members', HTMLElement).textContent = members
    .map(({ info }) => (typeof info === 'object' && info !== null && 'name' in info ? String(info.name) : '?'))
    .sort()
    .join(', ')
}

/** Shows an item as it is now; what was bought disappears. Showing the same one twice changes nothing. */
function show({ id, name, amount, bought }: { id: number; name: string; amount: number; bought: boolean }): void {
  const shown = document.getElementById(`item-${id}`)
  if (bought) return shown?.remove()
  const item = document.createElement('li')
  item.id = `item-${id}`
  item.textContent = `${amount} × ${name} `
  const button = document.createElement('button')
  button.textContent = 'Bought'
  button.addEventListener('click', () =>
    run(async () => {
      await client.call('BUY_ITEM', { id })
    }),
  )
  item.append(button)
  if (shown === null) list.append(item)
  else shown.replaceWith(item)
}

/** Says why it failed. */
function run(action: () => Promise<void>): void {
  const error = find('error', HTMLElement)
  action().then(
    () => {
      error.textContent = ''
    },
    (reason: unknown) => {
      error.textContent = toText(reason)
    },
  )
}

function toText(reason: unknown): string {
  if (!(reason instanceof CallError)) return String(reason)
  const { details, msg } = reason
  if (typeof details === 'object' && details !== null && 'missing_roles' in details)
    return `You need the role ${String(details.missing_roles)}`
  return msg
}

function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new TypeError(`The page has no #${id}`)
  return element
}
