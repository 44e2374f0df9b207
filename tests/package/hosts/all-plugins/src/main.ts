import { closeOnSignals, createApp } from '@twinwire/core'
import { metrics } from '@twinwire/plugin-metrics'
import { openapi } from '@twinwire/plugin-openapi'
import { rateLimit } from '@twinwire/plugin-ratelimit'
import { flags } from './flags-plugin.js'
import { addTask, listTasks, PkgID, taskAdded } from './tasks.js'

const app = createApp({
  pkgIds: PkgID,
  routes: { LIST_TASKS: listTasks, ADD_TASK: addTask },
  events: { TASK_ADDED: taskAdded },
  plugins: [flags(['add']), rateLimit(), metrics({ version: '1.0.0' }), openapi()],
})
const { url } = await app.listen({ port: Number(process.env.PORT) })
closeOnSignals(app)
console.log(`ready ${url}`)
