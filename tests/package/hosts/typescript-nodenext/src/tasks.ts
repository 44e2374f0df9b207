import { BaseCommand, event, route } from '@twinwire/core'
import * as v from 'valibot'

export const PkgID = { LIST_TASKS: 1, ADD_TASK: 2, TASK_ADDED: 100 } as const

const Task = v.object({ id: v.number(), title: v.string() })
type Task = v.InferOutput<typeof Task>
const NewTask = v.object({ title: v.pipe(v.string(), v.minLength(1)) })
const tasks: Task[] = []

class AddTaskCommand extends BaseCommand<v.InferOutput<typeof NewTask>, Task> {
  execute({ title }: v.InferOutput<typeof NewTask>): Task {
    const task = { id: tasks.length + 1, title }
    tasks.push(task)
    return task
  }
}

export const taskAdded = event({ data: Task })

export const listTasks = route({ http: 'GET /tasks', output: v.array(Task), handler: () => tasks })

export const addTask = route({
  http: { route: 'POST /tasks', status: 201 },
  input: NewTask,
  output: Task,
  handler: (input, call) => {
    const task = new AddTaskCommand().execute(input)
    call.broadcast(taskAdded, task)
    return task
  },
})
