// The bundle of the page runs by itself, and has nothing of the server.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { client, titles, useTitles } from './page'

// Without the paths of its sources: those of pnpm name peers.
const bundle = readFileSync(new URL('page.js', import.meta.url), 'utf8').replace(/node_modules\/[^\s"]*/g, '')
assert.ok(bundle.includes('LIST_TASKS'))
for (const name of ['node:', 'uWebSockets', 'valibot', 'pino']) assert.ok(!bundle.includes(name), name)
assert.equal(client.state.status, 'idle')
assert.equal(typeof useTitles, 'function')
// Port 1 refuses.
await assert.rejects(titles(), { name: 'CallError' })
client.close()
