import { event, route } from '@twinwire/core'
import { BaseRepository, type Database, transaction, withDb } from '@twinwire/core/database'
import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'

export const tasks = pgTable('tasks', { id: serial().primaryKey(), title: text().notNull() })

export class TaskRepository extends BaseRepository<typeof tasks> {
  constructor(db: Database) {
    super(db, tasks)
  }
}

export const PkgID = { LIST_TASKS: 1, ADD_TASK: 2, TASK_ADDED: 100 } as const

const Task = v.object({ id: v.number(), title: v.string() })
export const taskAdded = event({ data: Task })

export const listTasks = route({
  http: 'GET /tasks',
  use: [withDb()],
  output: v.array(Task),
  handler: (_input, { db }) => new TaskRepository(db).getAll({}, { orderBy: { id: 'asc' } }),
})

export const addTask = route({
  http: { route: 'POST /tasks', status: 201 },
  use: [transaction()],
  input: v.object({ title: v.pipe(v.string(), v.minLength(1)) }),
  output: Task,
  handler: async (input, call) => {
    const task = await new TaskRepository(call.db).create(input)
    call.broadcast(taskAdded, task)
    return task
  },
})
