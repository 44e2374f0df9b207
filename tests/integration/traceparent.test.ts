// The trace of a call over WebSocket: that of its package, else that of the upgrade.
import { randomUUID } from 'node:crypto'
import { jsonCodec, route, stream } from '@twinwire/core'
import { protobufCodec } from '@twinwire/core/protobuf'
import { createTestLogger, onTransports, type RawSocket } from '@twinwire/core/testing'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { field, readResponse, writeMessage } from '../support/protobuf-oracle.ts'

const ofUpgrade = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const own = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
const ofLaterVersion = '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more'

const options = {
  pkgIds: { TRACE: 1, LATER: 2, ITEMS: 3, FAIL: 4 },
  routes: {
    TRACE: route({ handler: (_input, { traceparent }) => traceparent }),
    LATER: route({
      handler: async (_input, call) => {
        await new Promise((resolve) => setImmediate(resolve))
        return [call.traceparent, call.wire, call.connection?.id !== undefined]
      },
    }),
    ITEMS: route({
      output: stream(v.string()),
      handler: async function* (_input, { traceparent }) {
        yield String(traceparent)
      },
    }),
    FAIL: route({
      handler: (): null => {
        throw new Error('It fails')
      },
    }),
  },
  codecs: [jsonCodec, protobufCodec()],
} as const

interface Format {
  readonly path: `/ws?format=${string}`
  /** `trace`: what is written for the member; undefined for none. */
  write(pkgId: number, trace: string | undefined): string | Uint8Array
  read(frame: string | Uint8Array): { readonly data?: unknown; readonly status_code?: unknown }
}

const json: Format = {
  path: '/ws?format=json',
  write: (pkg_id, traceparent) => JSON.stringify({ pkg_id, req_id: randomUUID(), data: {}, traceparent }),
  read: (frame) => JSON.parse(String(frame)),
}
const protobuf: Format = {
  path: '/ws?format=protobuf',
  write: (pkg_id, traceparent) =>
    writeMessage('Request', { pkg_id, req_id: randomUUID(), data_json: '{}', ...(traceparent && { traceparent }) }),
  read: (frame) => readResponse(Buffer.from(frame)),
}

const invalid: readonly [what: string, trace: string][] = [
  ['an empty one', ''],
  ['one of zeros', '00-00000000000000000000000000000000-b7ad6b7169203331-01'],
  ['upper case', own.toUpperCase()],
  ['one with more parts than version 00 has', `${own}-more`],
  ['the invalid version', own.replace('00-', 'ff-')],
  ['a line break', `${own}\r\nx: y`],
  ['a string of 10 KB', `01-${'0af7651916cd43dd8448eb211c80319c-'.repeat(320)}`],
  ['letters of other alphabets', '00-日本語'],
]

describe.each([
  ['json', json],
  ['protobuf', protobuf],
])('in %s', (_name, { path, write, read }) => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const ask = async (socket: RawSocket, pkgId: number, trace?: string): Promise<unknown> => {
      socket.send(write(pkgId, trace))
      return read((await socket.next()).data).data
    }
    const open = async (headers: Record<string, string> = { traceparent: ofUpgrade }): Promise<RawSocket> =>
      (await start(options)).connect({ path, headers })

    it('is that of the package, and of no other package [defect 67]', async () => {
      const socket = await open()
      expect(await ask(socket, 1, own)).toBe(own)
      expect(await ask(socket, 1)).toBe(ofUpgrade)
      expect(await ask(socket, 1, ofLaterVersion)).toBe(ofLaterVersion)
      expect(await ask(socket, 2, own)).toEqual([own, 'ws', true])
      expect(await ask(socket, 3, own)).toBe(own)
    })

    it('is that of the package where the upgrade has none', async () => {
      const socket = await open({})
      expect(await ask(socket, 1)).toBeNull()
      expect(await ask(socket, 1, own)).toBe(own)
      expect(await ask(socket, 1)).toBeNull()
    })

    it.each(invalid)('is that of the upgrade for %s', async (_what, trace) => {
      const socket = await open()
      expect(await ask(socket, 1, trace)).toBe(ofUpgrade)
      expect(await ask(socket, 1, own)).toBe(own)
    })

    it('answers an error, and logs it with the trace of the package', async () => {
      const logger = createTestLogger()
      const { connect } = await start({ ...options, log: { logger } })
      const socket = await connect({ path, headers: { traceparent: ofUpgrade } })
      expect(await ask(socket, 4, own)).toMatchObject({ code: 'internal_error' })
      expect(logger.lines.find(({ message }) => message === 'A call failed')?.fields).toMatchObject({
        trace_id: '0af7651916cd43dd8448eb211c80319c',
      })
    })
  })
})

describe('what only one codec can write', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const traces = async (path: Format['path'], frames: readonly (string | Uint8Array)[]): Promise<unknown[]> => {
      const socket = await (await start(options)).connect({ path, headers: { traceparent: ofUpgrade } })
      const found: unknown[] = []
      for (const frame of frames) {
        socket.send(frame)
        const { data } = await socket.next()
        found.push((typeof data === 'string' ? json : protobuf).read(data).data)
      }
      return found
    }

    it('of JSON: other types are ignored, and the last of several members counts', async () => {
      const member = (...values: readonly unknown[]): string => {
        const members = values.map((value) => `,"traceparent":${JSON.stringify(value)}`).join('')
        return `{"pkg_id":1,"req_id":"${randomUUID()}"${members},"data":{}}`
      }
      const others = [null, 7, true, {}, { traceparent: own }, [own]]
      const frames = [...others.map((value) => member(value)), member(own, 7), member(7, own), member(own, own, {})]
      expect(await traces(json.path, frames)).toEqual([...others.map(() => ofUpgrade), ofUpgrade, own, ofUpgrade])
    })

    it('of JSON: a member anywhere in the frame, and one of the data is data', async () => {
      const id = randomUUID()
      expect(
        await traces(json.path, [
          `{"traceparent":"${own}","pkg_id":1,"req_id":"${id}","data":{}}`,
          `{"pkg_id":1,"req_id":"${id}","traceparent":"${own}","data":{}}`,
          `{"pkg_id":1,"req_id":"${id}","data":{},"traceparent":"${own}"}`,
          `{"pkg_id":1,"req_id":"${id}","method":"","data":{},"traceparent":{}}`,
          `{"pkg_id":1,"req_id":"${id}","method":"","data":{"traceparent":"${own}"}}`,
          `{"pkg_id":1,"req_id":"${id}","__proto__":{"traceparent":"${own}"}}`,
        ]),
      ).toEqual([own, own, own, ofUpgrade, ofUpgrade, ofUpgrade])
    })

    it('of protobuf: other wire types are unknown fields, and the last of several counts', async () => {
      const head = [...field(1, 1), ...field(2, randomUUID())]
      const traced = (...parts: readonly (readonly number[])[]): Uint8Array =>
        Uint8Array.from([...head, ...parts.flat()])
      const fixed64 = [5 * 8 + 1, 1, 2, 3, 4, 5, 6, 7, 8]
      const group = [5 * 8 + 3, ...field(5, own), 5 * 8 + 4]
      const fixed32 = [5 * 8 + 5, 1, 2, 3, 4]
      expect(
        await traces(protobuf.path, [
          traced(field(5, 7)),
          traced(fixed64, group, fixed32),
          traced(field(5, own), field(5, 7)),
          traced(field(5, own), field(5, '')),
          traced(field(5, 'rubbish'), field(5, own)),
          Uint8Array.from([...field(5, own), ...head, ...field(4, '{}')]),
        ]),
      ).toEqual([ofUpgrade, ofUpgrade, own, ofUpgrade, own, own])
    })

    it('of protobuf: a string that is not UTF-8 is malformed, as in every field', async () => {
      const frame = Uint8Array.from([...field(1, 1), ...field(2, randomUUID()), ...field(5, [0xff, 0xfe])])
      expect(await traces(protobuf.path, [frame])).toMatchObject([{ code: 'malformed_request' }])
    })
  })
})
