import { SendResult, type Socket } from '../../../transport/transport.ts'
import type { TestRunner } from '../../test-runner.ts'
import { deferred, recorder, text } from '../helpers.ts'
import type { TransportFixture } from './fixture.ts'

/** Frames and closures. */
export function socketsSuite({ describe, it, expect }: TestRunner, { open }: TransportFixture): void {
  describe('sockets', () => {
    it('carries text and bytes both ways, in order', async () => {
      const { socket, server } = await open({
        message: (data, binary) => void server.send(binary ? new Uint8Array(data) : text(new Uint8Array(data)), binary),
      })
      socket.send('grüße')
      socket.send(new Uint8Array([0, 255]))
      socket.send('')
      expect(await socket.next()).toEqual({ data: 'grüße', binary: false })
      expect(await socket.next()).toEqual({ data: new Uint8Array([0, 255]), binary: true })
      expect(await socket.next()).toEqual({ data: '', binary: false })
      const bytes = new TextEncoder().encode('as text')
      expect(server.send(bytes, false)).toBe(SendResult.sent)
      bytes.fill(0)
      server.send('as bytes', true)
      expect(await socket.next()).toEqual({ data: 'as text', binary: false })
      expect(await socket.next()).toEqual({ data: new TextEncoder().encode('as bytes'), binary: true })
      expect(server.bufferedBytes()).toBe(0)
    })

    it('takes a message away when the callback has returned', async () => {
      const kept = deferred<Uint8Array>()
      const { socket } = await open({ message: (data) => kept.resolve(new Uint8Array(data)) })
      socket.send('gone')
      const view = await kept.promise
      await new Promise((resolve) => setImmediate(resolve))
      expect(view.byteLength).toBe(0)
    })

    it('tells how the client closed', async () => {
      const { socket, ended, closures } = await open()
      socket.close(4000, 'done')
      expect(await ended).toEqual({ code: 4000, reason: 'done' })
      expect(await socket.closed).toEqual({ code: 4000, reason: 'done' })
      expect(closures).toHaveLength(1)
    })

    it('tells 1005 for a close frame without a code, and 1006 for none', async () => {
      const bare = await open()
      bare.socket.close()
      expect((await bare.ended).code).toBe(1005)
      expect((await bare.socket.closed).code).toBe(1005)
      const cut = await open()
      cut.socket.terminate()
      expect((await cut.ended).code).toBe(1006)
      expect((await cut.socket.closed).code).toBe(1006)
    })

    it('ends with a close frame after what is queued; closed runs before end returns', async () => {
      const { socket, server, closures } = await open()
      server.send('last words', false)
      server.end(4001, 'go away')
      expect(closures).toEqual([{ code: 4001, reason: 'go away' }])
      expect((await socket.next()).data).toBe('last words')
      expect(await socket.closed).toEqual({ code: 4001, reason: 'go away' })
      await expect(socket.next()).rejects.toThrow('4001')
      expect(closures).toHaveLength(1)
    })

    it('cuts; closed runs before close returns', async () => {
      const { socket, server, closures } = await open()
      server.close()
      expect(closures).toMatchObject([{ code: 1006 }])
      expect((await socket.closed).code).toBe(1006)
    })

    it('shortens a reason that is too long, between two characters', async () => {
      const { socket, server } = await open()
      server.end(4001, `${'x'.repeat(122)}é`)
      expect(await socket.closed).toEqual({ code: 4001, reason: 'x'.repeat(122) })
    })

    it('does no harm once closed', async () => {
      const { server, closures, faults } = await open()
      server.close()
      expect(server.send('late', false)).toBe(SendResult.closed)
      expect(server.bufferedBytes()).toBe(0)
      const write = recorder()
      server.cork(write)
      expect(write.calls).toHaveLength(1)
      server.end(4000, '')
      server.close()
      expect(closures).toHaveLength(1)
      expect(faults).toEqual([])
    })

    it('may be ended in the middle of a message and inside closed', async () => {
      let server: Socket | undefined
      const { socket, ended, faults } = await open({
        opened: (opened) => {
          server = opened
        },
        message: () => server?.end(4003, 'enough'),
        closed: () => server?.close(),
      })
      socket.send('x')
      expect((await ended).code).toBe(4003)
      expect((await socket.closed).code).toBe(4003)
      expect(faults).toEqual([])
    })

    it('delivers nothing after closed', async () => {
      const messages: string[] = []
      const { socket, server, ended } = await open({
        message: (data) => {
          messages.push(text(new Uint8Array(data)))
          if (messages.length === 1) server.end(4000, '')
        },
      })
      for (const word of ['one', 'two', 'three']) socket.send(word)
      await ended
      await socket.closed
      expect(messages).toEqual(['one'])
    })

    it('corks: runs the writes now and keeps their order', async () => {
      const { socket, server } = await open()
      server.cork(() => {
        server.send('a', false)
        server.send('b', false)
      })
      expect((await socket.next()).data).toBe('a')
      expect((await socket.next()).data).toBe('b')
    })
  })
}
