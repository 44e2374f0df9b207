// What a browser gets: the types of the app, and none of its code.
import { createClient } from '@twinwire/client'
import { createHooks } from '@twinwire/client/react'
import type { app } from './main'

export const client = createClient<typeof app>({
  url: 'http://127.0.0.1:1',
  manifest: {
    version: 1,
    path: '/ws',
    maxMessageBytes: 65_536,
    routes: { LIST_TASKS: { pkgId: 1, http: 'GET /tasks' }, ADD_TASK: { pkgId: 2, http: 'POST /tasks' } },
    events: { TASK_ADDED: { pkgId: 100 } },
    closes: [],
  },
})
export const { TwinwireProvider, useAction, useCall, useConnectionState, useEvent, useSubscription } =
  createHooks<typeof app>()

export const titles = async (): Promise<string[]> =>
  (await client.call('LIST_TASKS', undefined, { wire: 'http' })).map(({ title }) => title)

export function useTitles(): string[] {
  const tasks = useCall('LIST_TASKS', undefined, { wire: 'http' })
  const add = useAction('ADD_TASK')
  useEvent('TASK_ADDED', ({ title }) => console.log(title))
  useSubscription('@all', { onEvent: ({ data }) => add.run({ title: data.title }) })
  return tasks.status === 'success' ? tasks.data.map(({ title }) => title) : []
}

// @ts-expect-error: the input needs a title
export const wrong = (): Promise<unknown> => client.call('ADD_TASK', { titel: 'x' })
