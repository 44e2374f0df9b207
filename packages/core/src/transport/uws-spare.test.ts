import { expect, it } from 'vitest'
import { loadUws } from './uws-loader.ts'
import { SpareResponse } from './uws-spare.ts'

const { module } = loadUws()

it('a spare response runs what is to be corked, also when its connection has ended', async () => {
  const spare = await SpareResponse.open(module)
  const runs: string[] = []
  spare?.cork(() => runs.push('open'))
  spare?.close()
  spare?.cork(() => runs.push('closed'))
  expect(runs).toEqual(['open', 'closed'])
})

it('there is none where a process may not listen on loopback', async () => {
  const App = (): ReturnType<typeof module.App> => {
    const app = module.App()
    return Object.assign(app, {
      listen(_host: string, _port: number, _options: number, done: (socket: false) => void) {
        done(false)
        return app
      },
    })
  }
  expect(await SpareResponse.open({ ...module, App })).toBeNull()
})
