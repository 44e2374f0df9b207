// A test as a user writes one, with the types that it relies on: the entry point `testing`, and no server.
import assert from 'node:assert/strict'
import { createTestApp } from '@twinwire/core/testing'
import { addTask, listTasks, PkgID, taskAdded } from './tasks.js'

const { client, request, close } = await createTestApp({
  pkgIds: PkgID,
  routes: { LIST_TASKS: listTasks, ADD_TASK: addTask },
  events: { TASK_ADDED: taskAdded },
})
const task: { id: number; title: string } = await (await client()).call('ADD_TASK', { title: 'in memory' })
assert.deepEqual(task, { id: 1, title: 'in memory' })
assert.deepEqual((await request('GET /tasks')).json(), [task])
// @ts-expect-error A title is a string: the client has the types of the routes.
await assert.rejects((await client()).call('ADD_TASK', { title: 7 }))
await close()
