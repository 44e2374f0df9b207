import { event, route } from '@twinwire/core'
import { limit } from '@twinwire/plugin-ratelimit'
import * as v from 'valibot'
import { whenOn } from './flags-plugin.js'

export const PkgID = { LIST_TASKS: 1, ADD_TASK: 2, TASK_ADDED: 100 } as const

const Task = v.object({ id: v.number(), title: v.string() })
type Task = v.InferOutput<typeof Task>
const tasks: Task[] = []

export const taskAdded = event({ data: Task })

export const listTasks = route({ http: 'GET /tasks', output: v.array(Task), handler: () => tasks })

export const addTask = route({
  http: { route: 'POST /tasks', status: 201 },
  use: [whenOn('add'), limit('100/m')],
  input: v.object({ title: v.pipe(v.string(), v.minLength(1)) }),
  output: Task,
  handler: (input, call) => {
    const flag: 'add' | string = call.flag
    call.log.debug({ flag }, 'A task is added')
    const task = { id: tasks.length + 1, title: input.title }
    tasks.push(task)
    call.broadcast(taskAdded, task)
    return task
  },
})
