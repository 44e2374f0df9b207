const { closeOnSignals, createApp, event, route } = require('@twinwire/core')
const v = require('valibot')

const PkgID = /** @type {const} */ ({ LIST_TASKS: 1, ADD_TASK: 2, TASK_ADDED: 100 })
const Task = v.object({ id: v.number(), title: v.string() })
/** @type {v.InferOutput<typeof Task>[]} */
const tasks = []
const taskAdded = event({ data: Task })

const app = createApp({
  pkgIds: PkgID,
  routes: {
    LIST_TASKS: route({ http: 'GET /tasks', output: v.array(Task), handler: () => tasks }),
    ADD_TASK: route({
      http: { route: 'POST /tasks', status: 201 },
      input: v.object({ title: v.pipe(v.string(), v.minLength(1)) }),
      output: Task,
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
app.listen({ port: Number(process.env.PORT) }).then(({ url }) => console.log(`ready ${url}`))
