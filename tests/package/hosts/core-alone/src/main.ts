import { closeOnSignals, createApp, event, route } from '@twinwire/core'
import { NewTask, type Task, TaskList, TaskSchema } from './schemas.js'

const PkgID = { LIST_TASKS: 1, ADD_TASK: 2, TASK_ADDED: 100 } as const
const tasks: Task[] = []
const taskAdded = event({ data: TaskSchema })

const app = createApp({
  pkgIds: PkgID,
  routes: {
    LIST_TASKS: route({ http: 'GET /tasks', output: TaskList, handler: () => tasks }),
    ADD_TASK: route({
      http: { route: 'POST /tasks', status: 201 },
      input: NewTask,
      output: TaskSchema,
      handler: ({ title }, call) => {
        const task = { id: tasks.length + 1, title }
        tasks.push(task)
        call.broadcast(taskAdded, task)
        return task
      },
    }),
  },
  events: { TASK_ADDED: taskAdded },
})
closeOnSignals(app)
const { url } = await app.listen({ port: Number(process.env.PORT) })
console.log(`ready ${url}`)
