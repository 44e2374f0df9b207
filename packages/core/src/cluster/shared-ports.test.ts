import { describe, expect, it } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import { deferred } from '../testing/suite.fixtures.ts'
import { SharedPorts } from './shared-ports.ts'

const [a, b] = [{}, {}]

function create(free = 40_000) {
  const probes: number[] = []
  let next = free
  const ports = new SharedPorts(async (_host, port) => {
    probes.push(port)
    return port === 0 ? next++ : port
  })
  const claim = (holder: object, port: number, nth = 0) => ports.claim(holder, { host: '127.0.0.1', port, nth })
  return { ports, probes, claim }
}

describe('the ports of a cluster', () => {
  it('are probed before their first worker only', async () => {
    const { probes, claim } = create()
    expect(await Promise.all([claim(a, 8000), claim(b, 8000), claim(a, 9000)])).toEqual([8000, 8000, 9000])
    expect(probes).toEqual([8000, 9000])
  })

  it('are the same free ones for every worker, in the order in which it claims them', async () => {
    const { claim } = create()
    expect([await claim(a, 0, 0), await claim(a, 0, 1)]).toEqual([40_000, 40_001])
    expect([await claim(b, 0, 0), await claim(b, 0, 1)]).toEqual([40_000, 40_001])
  })

  it('are probed again, with the same number, once no worker has them', async () => {
    const { ports, probes, claim } = create()
    await claim(a, 0)
    await claim(b, 0)
    ports.release(a)
    expect(await claim(a, 0)).toBe(40_000)
    expect(probes).toEqual([0])
    ports.release(a)
    ports.release(b)
    expect(await Promise.all([claim(a, 0), claim(b, 0)])).toEqual([40_000, 40_000])
    expect(probes).toEqual([0, 40_000])
  })

  it('that are taken are refused to all who wait for the probe, and probed for the next', async () => {
    const taken = deferred<number>()
    let probe = (): Promise<number> => taken.promise
    const ports = new SharedPorts(() => probe())
    const claims = [a, b].map((holder) => ports.claim(holder, { host: '::1', port: 8000, nth: 0 }))
    const error = new BootError('unavailable_port', 'taken')
    taken.reject(error)
    expect(await Promise.allSettled(claims)).toEqual([1, 2].map(() => ({ status: 'rejected', reason: error })))
    probe = async () => 8000
    expect(await ports.claim(a, { host: '::1', port: 8000, nth: 0 })).toBe(8000)
  })
})
