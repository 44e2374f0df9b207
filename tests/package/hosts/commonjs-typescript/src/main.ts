import { closeOnSignals, createApp } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { sql } from 'drizzle-orm'
import { addTask, listTasks, PkgID, taskAdded } from './tasks.js'

const app = createApp({
  pkgIds: PkgID,
  routes: { LIST_TASKS: listTasks, ADD_TASK: addTask },
  events: { TASK_ADDED: taskAdded },
  plugins: [
    database({
      url: 'pglite://memory',
      onStart: async (db) => {
        await db.execute(sql`CREATE TABLE tasks (id serial PRIMARY KEY, title text NOT NULL)`)
      },
    }),
  ],
})
closeOnSignals(app)
app.listen({ port: Number(process.env.PORT) }).then(
  ({ url }) => console.log(`ready ${url}`),
  (error: unknown) => {
    console.error(error)
    process.exitCode = 1
  },
)
