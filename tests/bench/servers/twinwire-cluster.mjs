// One worker or several on one port, each with the bare server of `twinwire-ws.mjs` and a handler that takes CPU.
import process from 'node:process'
import { createApp, route } from '@twinwire/core'
import { cluster } from '@twinwire/core/cluster'
import { burn } from '../lib/burn.mjs'
import { serve } from '../lib/serve.mjs'
import { getAuthor, Input, Output, pkgId } from './contract.mjs'

const [workers, port, rounds] = ['WORKERS', 'PORT', 'ROUNDS'].map((name) =>
  Number(process.env[`TWINWIRE_BENCH_${name}`]),
)
// So that no optimiser leaves the work out.
const work = { last: 0 }

async function listen() {
  const handler = (input) => {
    work.last = burn(rounds)
    return getAuthor(input)
  }
  const app = createApp({
    pkgIds: { GET_AUTHOR: pkgId },
    routes: { GET_AUTHOR: route({ summary: 'An author', input: Input, output: Output, handler }) },
    defaultAccess: 'public',
    http: { hosts: ['127.0.0.1'] },
    log: 'error',
  })
  await app.listen({ port })
}

// The parent, or the only process, is the one that the benchmark has started and talks to.
if ((await cluster({ workers, run: listen, log: 'error' })) !== 'worker') await serve(async () => port)
