import { createApp, memoryBroker, route } from '@twinwire/core'
import {
  brokerSuite,
  codecSuite,
  memoryRawClient,
  memoryTransport,
  networkRawClient,
  transportSuite,
} from '@twinwire/core/testing'
import { type Codec, refuseFrame, type Transport, toFrame } from '@twinwire/core/transport'
import * as vitest from 'vitest'
import { Network, networkBroker } from './network-broker.fixtures.ts'

// Public exports only: what an outside author of a codec, a broker or a transport has.
const { describe, expect, it } = vitest

const encode = (value: unknown): Uint8Array => Buffer.concat([Buffer.of(1), Buffer.from(JSON.stringify(value))])
const decode = (message: string | Uint8Array): unknown => JSON.parse(Buffer.from(message).subarray(1).toString())

/** Version 1: JSON in binary frames, behind a byte that has the version. */
const versioned: Codec = {
  name: 'versioned',
  binary: true,
  decode(data, binary) {
    if (!binary) return refuseFrame('This connection takes binary frames only')
    if (new Uint8Array(data)[0] !== 1) return refuseFrame('The version of the frame must be 1')
    try {
      return toFrame(decode(new Uint8Array(data)))
    } catch {
      return refuseFrame('The frame is not JSON')
    }
  },
  encodeReply: (pkgId, reqId, status, meta, data) =>
    encode({ pkg_id: pkgId, req_id: reqId, status_code: status, meta, data: data ?? null }),
  encodeEvent: (pkgId, data, meta, reqId) =>
    encode({ pkg_id: pkgId, req_id: reqId, ...(meta === null ? {} : { meta }), data: data ?? null }),
}

describe('a custom codec', () => {
  codecSuite(vitest, { codec: versioned, encode, decode })

  it('serves an app', async () => {
    const transport = memoryTransport()
    const add = route({ handler: () => ({ sum: 3 }) })
    const app = createApp({
      pkgIds: { ADD: 1 },
      routes: { ADD: add },
      environment: 'test',
      transport,
      codecs: [versioned],
    })
    await app.listen({ port: 0 })
    const socket = await memoryRawClient(transport).connect({ path: '/ws?format=versioned' })
    socket.send(encode({ pkg_id: 1, req_id: '3f2a9c41-7be0-4d5c-8a16-5b6d1f0e2c93' }))
    const { data, binary } = await socket.next()
    expect([binary, decode(data)]).toMatchObject([true, { pkg_id: 1, status_code: 0, data: { sum: 3 } }])
    socket.terminate()
    await app.close()
  })
})

describe('a custom broker', () => {
  let network = new Network()
  brokerSuite(vitest, {
    createBroker: () => networkBroker(network),
    closeBroker: () => {
      network = new Network()
    },
  })
})

describe('memoryBroker', () => {
  brokerSuite(vitest, { createBroker: memoryBroker, oneProcess: true })
})

/** Counts what it serves; what it does is that of another transport. */
function counting(inner: Transport): Transport {
  return {
    name: 'counting',
    listen: (options, handlers) => inner.listen(options, handlers),
    publish: (topic, data, binary) => inner.publish(topic, data, binary),
    get acceptedBytes() {
      return inner.acceptedBytes
    },
    stopAccepting: () => inner.stopAccepting(),
    flushed: () => inner.flushed(),
    close: () => inner.close(),
  }
}

describe('a custom transport', () => {
  const made = new Map<Transport, ReturnType<typeof memoryTransport>>()
  transportSuite(vitest, {
    createTransport: () => {
      const inner = memoryTransport()
      const transport = counting(inner)
      made.set(transport, inner)
      return transport
    },
    createClient: (transport, port) => {
      const inner = made.get(transport)
      return inner === undefined ? networkRawClient({ port }) : memoryRawClient(inner)
    },
  })
})
