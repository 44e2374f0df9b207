// What every host's app has to answer: tasks, listed by package 1 and added by package 2, each of them over HTTP too, and
// event 100 for one that was added.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'

/** Resolves with a promise of the code that the server closes the WebSocket with: it is left open, for the stop. */
export async function checkBothWires(url) {
  const socket = new WebSocket(`${url.replace('http:', 'ws:')}/ws`)
  const frames = []
  socket.on('message', (message) => {
    frames.push(JSON.parse(String(message)))
    socket.emit('frame')
  })
  await once(socket, 'open', answered())
  const frame = async (matches) => {
    for (;;) {
      const found = frames.find(matches)
      if (found) return found
      await once(socket, 'frame', answered())
    }
  }
  const call = (pkgId, data) => {
    const reqId = randomUUID()
    socket.send(JSON.stringify({ pkg_id: pkgId, req_id: reqId, method: '', data }))
    return frame((each) => each.req_id === reqId && 'status_code' in each)
  }

  const health = await http(`${url}/health`)
  assert.equal(health.status, 200, JSON.stringify(health))
  const overHttp = await http(`${url}/tasks`, { title: 'over HTTP' })
  assert.deepEqual(overHttp, { status: 201, body: { id: 1, title: 'over HTTP' } })
  assert.equal((await http(`${url}/tasks`, { title: '' })).status, 422)
  const event = await frame((each) => each.pkg_id === 100)
  assert.deepEqual(event.data, { id: 1, title: 'over HTTP' })

  const overSocket = await call(2, { title: 'over the WebSocket' })
  assert.equal(overSocket.status_code, 0, JSON.stringify(overSocket))
  assert.notEqual((await call(2, { title: '' })).status_code, 0)
  const listed = await call(1, {})
  assert.deepEqual(listed.data, [
    { id: 1, title: 'over HTTP' },
    { id: 2, title: 'over the WebSocket' },
  ])
  assert.deepEqual((await http(`${url}/tasks`)).body, listed.data)
  return { closed: once(socket, 'close').then(([code]) => code) }
}

const answered = () => ({ signal: AbortSignal.timeout(30_000) })

async function http(url, json) {
  const response = await fetch(url, {
    ...answered(),
    ...(json && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(json),
    }),
  })
  return { status: response.status, body: await response.json() }
}
