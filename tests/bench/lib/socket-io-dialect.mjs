/**
 * As much of Socket.IO 5 over Engine.IO 4 as an event with an acknowledgement needs, over WebSocket alone: `0` opens, `40` connects,
 * `42<id>[name, data]` is an event and `43<id>[reply]` its acknowledgement.
 */

/** Three digits, so that all packages are of one length. */
const toId = (connection, slot) => 100 + ((connection * 16 + slot) % 900)

const toEvent = (id, data) => `42${id}${JSON.stringify(['get_author', data])}`

function parse(text) {
  const [, id, json] = /^43(\d+)(\[.*\])$/.exec(text) ?? []
  if (id === undefined) throw new Error(`Not an acknowledgement: ${text}`)
  return { id: Number(id), reply: JSON.parse(json)[0] }
}

export const socketIoDialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  /** What the server sends first, and what is sent then. */
  greeting: '0{',
  hello: { text: '40', matches: (text) => text.startsWith('40{') },
  parse,

  toPackage(connection, slot) {
    const id = toId(connection, slot)
    const data = { name: 'Ursula K. Le Guin', page: 1 + ((connection + slot) % 9) }
    return { text: toEvent(id, data), reply: { id, reply: { data: { id: data.page, name: data.name } } } }
  },

  /** An event that it does not know is ignored by Socket.IO, and a frame that it cannot read ends the connection. */
  probes: [
    {
      text: toEvent(100, { name: '', page: 1 }),
      matches: ({ id, reply }) => id === 100 && reply.error.code === 'validation_error',
    },
    {
      text: toEvent(100, { name: 'Ursula K. Le Guin', page: '1' }),
      matches: ({ id, reply }) => id === 100 && reply.error.code === 'validation_error',
    },
  ],
}
