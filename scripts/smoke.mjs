// Starts the example as `npm start` does, on a free port and an in-memory database, makes calls on both wires,
// stops it with SIGTERM and checks the exit code. Prints one line per step.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'

const startWithinMs = 90_000
const replyWithinMs = 10_000
const stopWithinMs = 15_000

const root = fileURLToPath(new URL('..', import.meta.url))
const author = `Ursula K. Le Guin ${randomUUID()}`

const example = spawn(process.execPath, [join(root, 'scripts', 'start.mjs')], {
  cwd: root,
  env: { ...process.env, PORT: '0', DATABASE_URL: 'pglite://memory', DEVELOPMENT_ISSUER_PORT: '0' },
  stdio: ['ignore', 'pipe', 'pipe'],
})
process.once('exit', () => example.kill('SIGKILL'))
const exited = new Promise((resolve) => {
  example.once('exit', (code, signal) => resolve({ code, signal }))
})
let output = ''
const keep = (chunk) => {
  output += chunk
}
example.stdout.setEncoding('utf8').on('data', keep)
example.stderr.setEncoding('utf8').on('data', keep)

let step = 'start'
try {
  const url = await listening()
  done(`listening on ${url}`)

  step = 'GET /health'
  const health = await http(`${url}/health`)
  assert.equal(health.status, 200, `status of ${step}: ${health.text}`)
  done(`200 ${health.text}`)

  step = 'GET /authors without a token'
  const refused = await http(`${url}/authors`)
  assert.equal(refused.status, 401, `status of ${step}: ${refused.text}`)
  done(`401 ${refused.text}`)

  step = 'POST /authors'
  const [, token] = /^ {2}admin +(\S+)$/m.exec(output) ?? []
  assert.ok(token, 'a token for an administrator is printed')
  const created = await http(`${url}/authors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ name: author }),
  })
  assert.equal(created.status, 201, `status of ${step}: ${created.text}`)
  const createdAuthor = JSON.parse(created.text)
  assert.equal(createdAuthor.name, author)
  assert.ok(Number.isInteger(createdAuthor.id))
  done(`201 ${created.text}`)

  step = 'open the WebSocket'
  const socket = new WebSocket(`${url.replace('http:', 'ws:')}/web`)
  await within(replyWithinMs, once(socket, 'open'))
  socket.send(JSON.stringify({ type: 'auth', token: `Bearer ${token}` }))
  const [greeting] = await within(replyWithinMs, once(socket, 'message'))
  assert.equal(JSON.parse(String(greeting)).type, 'auth_ok')
  done('open, auth_ok')

  step = 'package 1, GET_AUTHORS'
  const authors = await call(socket, 1, {})
  assert.deepEqual(
    authors.data.find((each) => each.name === author),
    createdAuthor,
    'the author created over HTTP is in the list',
  )
  done(`status_code 0, ${authors.data.length} authors, the one created over HTTP among them`)

  step = 'package 3, CREATE_AUTHOR'
  const name = `Stanisław Lem ${randomUUID()}`
  const second = await call(socket, 3, { name })
  assert.equal(second.data.name, name)
  assert.ok(Number.isInteger(second.data.id))
  done(`status_code 0, ${JSON.stringify(second.data)}`)

  step = 'SIGTERM'
  const closed = once(socket, 'close')
  example.kill('SIGTERM')
  const { code, signal } = await within(stopWithinMs, exited)
  assert.equal(signal, null, `killed by ${signal}`)
  assert.equal(code, 0, `exit code ${code}`)
  const [closeCode] = await within(replyWithinMs, closed)
  done(`exit code 0, WebSocket closed with ${closeCode}`)
  process.exit(0)
} catch (error) {
  console.error(`smoke: ${step}: FAILED: ${error instanceof Error ? error.message : error}`)
  console.error(`--- output of the example\n${output}---`)
  process.exit(1)
}

function done(result) {
  console.log(`smoke: ${step}: ${result}`)
}

/** Resolves with the address that the example prints. */
function listening() {
  return within(
    startWithinMs,
    new Promise((resolve, reject) => {
      const look = () => {
        // The last line too: then the output is complete.
        const match = /(http:\/\/127\.0\.0\.1:\d+)\D[\s\S]*Ctrl\+C/.exec(output)
        if (match) resolve(match[1])
      }
      example.stdout.on('data', look)
      example.stderr.on('data', look)
      example.once('error', reject)
      exited.then(({ code, signal }) => reject(new Error(`it exited early (code ${code}, signal ${signal})`)))
    }),
  )
}

async function http(url, init) {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(replyWithinMs) })
  return { status: response.status, text: await response.text() }
}

/** Sends a package and resolves with its reply; events that arrive in between are skipped. */
function call(socket, pkgId, data) {
  const reqId = randomUUID()
  const replied = new Promise((resolve, reject) => {
    const look = (message) => {
      try {
        const frame = JSON.parse(String(message))
        if (frame.req_id !== reqId) return
        socket.off('message', look)
        resolve(frame)
      } catch (error) {
        reject(error)
      }
    }
    socket.on('message', look)
    socket.once('close', (code) => reject(new Error(`the WebSocket was closed with ${code}`)))
  })
  socket.send(JSON.stringify({ pkg_id: pkgId, req_id: reqId, method: '', data }))
  return within(replyWithinMs, replied).then((frame) => {
    assert.deepEqual(Object.keys(frame), ['pkg_id', 'req_id', 'status_code', 'meta', 'data'], JSON.stringify(frame))
    assert.equal(frame.pkg_id, pkgId)
    assert.equal(frame.status_code, 0, JSON.stringify(frame))
    return frame
  })
}

function within(ms, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result within ${ms} ms`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
