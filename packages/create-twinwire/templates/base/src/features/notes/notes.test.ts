import { onTransports } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { openTestKit } from '../../testing.ts'

const kit = await openTestKit()

// In memory, and on real sockets.
onTransports({ describe, afterEach }, ({ start }) => {
  it('adds notes over both wires, and sends the event to subscribers', async () => {
    const { client } = await start(kit.options())
    const ann = await client({{auth:kit.as('writer')}})
    const bob = await client({{auth:kit.as('reader')}})
    await bob.subscribe('notes')

    const first = await ann.call('ADD_NOTE', { text: 'Buy milk' })
    expect(await bob.nextEvent('NOTE_ADDED')).toEqual(first)
    const second = await ann.http('ADD_NOTE', { text: 'Water the plants' })
    expect(await bob.nextEvent('NOTE_ADDED')).toEqual(second)

    expect(await bob.call('LIST_NOTES')).toEqual([second, first])
    expect(await bob.http('LIST_NOTES')).toEqual([second, first])
  })

  it('answers errors alike on both wires', async () => {
    const { client } = await start(kit.options())
    const ann = await client({{auth:kit.as('writer')}})
    await ann.call('ADD_NOTE', { text: 'Buy milk' })
    for (const send of [ann.call, ann.http]) {
      await expect(send('ADD_NOTE', { text: 'Buy milk' })).rejects.toMatchObject({ code: 'conflict' })
      await expect(send('ADD_NOTE', { text: '' })).rejects.toMatchObject({ code: 'validation_error' })
    }
  })
  //: if auth

  it('asks for the role', async () => {
    const { client } = await start(kit.options())
    const bob = await client(kit.as('reader'))
    for (const send of [bob.call, bob.http])
      await expect(send('ADD_NOTE', { text: 'Buy milk' })).rejects.toMatchObject({ code: 'permission_denied' })
  })
  //: end
})
