import { expect, it } from 'vitest'
import { createNetworks } from './networks.ts'

it('knows the addresses of its networks, however they are written', () => {
  const networks = createNetworks(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'], 'a list')
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '2001:DB8::1', '2001:db8:0:0::1'])
    expect([address, networks.has(address)]).toEqual([address, true])
  for (const address of ['11.0.0.1', '192.0.2.8', '2001:db9::1', '::1', '', 'ten', '10.1.2.3:80', '10.1.2'])
    expect([address, networks.has(address)]).toEqual([address, false])
})

it('has nobody in it when it is empty', () => {
  expect(createNetworks([], 'a list').has('127.0.0.1')).toBe(false)
})

it('names the option and the entry that is wrong', () => {
  const create = (entry: string) => () => createNetworks(['::1', entry], 'metrics({ access: { networks } })')
  expect(create('10.0.0.0/33')).toThrow(
    "metrics({ access: { networks } }): '10.0.0.0/33' has no prefix length of 0 to 32",
  )
  expect(create('home')).toThrow(
    expect.objectContaining({
      code: 'bad_option',
      message: "metrics({ access: { networks } }): 'home' is no IP address and no CIDR network",
    }),
  )
})
