// The pages of the guide, played as a reader does: their programs run, and what each command prints is what the page shows.
import { createClient } from '@twinwire/client'
import { type AnyRoute, createApp, event } from '@twinwire/core'
import * as v from 'valibot'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import WebSocket from 'ws'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { playedPages, playPage } from '../support/played-page.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 180_000 })

// As on the page about topics, with its types.
const question = event({
  data: v.object({ amount: v.number() }),
  answer: v.object({ accepted: v.boolean() }),
})

describe.each(Object.entries(playedPages))('the page %s', async (name, outputs) => {
  const page = await readBlocks(name)
  testBlocks(page)

  it('shows what its programs answer', async () => {
    expect(await playPage(name)).toBe(outputs)
  })

  if (name === 'topics')
    it('asks a client, and takes its answer', async () => {
      const blocks: Record<'transfer', AnyRoute> & Record<'confirmTransfer', typeof question> = await import(
        /* @vite-ignore */ `${page.folder}/confirm.ts`
      )
      const app = createApp({
        pkgIds: { TRANSFER: 1, CONFIRM: 100 },
        routes: { TRANSFER: blocks.transfer },
        events: { CONFIRM: blocks.confirmTransfer },
      })
      const { url } = await app.listen({ port: 0 })
      const client = createClient<typeof app>({ url, manifest: app.manifest(), WebSocket })
      onTestFinished(async () => {
        client.close()
        await app.close()
      })
      client.answer('CONFIRM', ({ amount }) => ({ accepted: amount < 500 }))
      expect(await client.call('TRANSFER', { amount: 100 })).toEqual({ done: true })
      expect(await client.call('TRANSFER', { amount: 900 })).toEqual({ done: false })
    })
})
