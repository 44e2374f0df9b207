// The host's own drizzle-orm is the one that core works with, and a driver that is missing has a sentence of its own.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { BootError, createApp } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { addTask, listTasks, PkgID, taskAdded } from './tasks.js'

const require = createRequire(import.meta.url)
const fromCore = createRequire(require.resolve('@twinwire/core/package.json'))
assert.equal(fromCore.resolve('drizzle-orm'), require.resolve('drizzle-orm'))
assert.match(
  readFileSync(join(dirname(require.resolve('drizzle-orm')), 'package.json'), 'utf8'),
  /"version": "0\.45\.0"/,
)

const app = createApp({
  pkgIds: PkgID,
  routes: { LIST_TASKS: listTasks, ADD_TASK: addTask },
  events: { TASK_ADDED: taskAdded },
  plugins: [database({ url: 'postgres://user@127.0.0.1:1/nothing' })],
})
await assert.rejects(app.listen({ port: 0 }), (error) => {
  assert(error instanceof BootError)
  assert.equal(error.code, 'missing_peer')
  assert.equal(error.message, "database() requires the package 'postgres' for this url: run npm install postgres")
  return true
})
