// The same on Twinwire.
import { open, rm } from 'node:fs/promises'
import process from 'node:process'
import { createApp, route } from '@twinwire/core'
import { serve } from '../lib/serve.mjs'

const path = process.env.TWINWIRE_BENCH_FILE

const app = createApp({
  pkgIds: {},
  routes: {},
  endpoints: [
    route({
      summary: 'Store a file',
      http: { route: 'PUT /file', body: 'stream', maxBodyBytes: 2 ** 31 },
      handler: async (_input, call) => {
        const file = await open(path, 'w')
        let bytes = 0
        try {
          for await (const part of call.body) {
            await file.write(part)
            bytes += part.byteLength
          }
          return { bytes }
        } finally {
          await file.close()
          await rm(path, { force: true })
        }
      },
    }),
  ],
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port)
