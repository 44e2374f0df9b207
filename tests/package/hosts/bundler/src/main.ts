import { closeOnSignals, createApp } from '@twinwire/core'
import { addTask, listTasks, PkgID, taskAdded } from './tasks'

export const app = createApp({
  pkgIds: PkgID,
  routes: { LIST_TASKS: listTasks, ADD_TASK: addTask },
  events: { TASK_ADDED: taskAdded },
})
const { url } = await app.listen({ port: Number(process.env.PORT) })
closeOnSignals(app)
console.log(`ready ${url}`)
