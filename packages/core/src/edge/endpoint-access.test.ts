// A plugin with an endpoint for operators, as an outside author writes it.
import { type Environment, guard, PermissionDeniedError, route } from '@twinwire/core'
import {
  addGuardedEndpoint,
  definePlugin,
  describeEndpointAccess,
  type EndpointAccess,
  type EndpointNames,
  openEndpointPort,
  pluginKey,
  resolveEndpointAccess,
  systemClock,
} from '@twinwire/core/plugin'
import { createTestApp } from '@twinwire/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'

const names: EndpointNames = {
  owner: 'audit()',
  who: 'who may read the audit',
  what: 'audit rows',
  role: 'auditor',
  port: 9470,
}

const resolve = (access: unknown, environment: Environment) =>
  resolveEndpointAccess(access as EndpointAccess, environment, names)

async function statusOf(access: Exclude<EndpointAccess, { readonly port: number }>): Promise<number> {
  const audit = definePlugin(pluginKey('audit').of<void>(), {
    setup: (host) =>
      addGuardedEndpoint(host, '/audit', access, names, (ofRoute) =>
        route({ http: 'GET /audit', access: ofRoute, handler: () => [] }),
      ),
  })
  const test = await createTestApp({ pkgIds: {}, routes: {}, plugins: [audit] })
  const { status } = await test.request('GET /audit')
  await test.close()
  return status
}

describe('an endpoint for operators', () => {
  it('is public but in production, where the application says who may use it', () => {
    expect(resolve(undefined, 'dev')).toBe('public')
    for (const access of [undefined, 'public'])
      expect(() => resolve(access, 'production')).toThrow(
        "audit(): access must say in production who may read the audit: { use: [requireRoles('auditor')] } for a role, { networks: ['10.0.0.0/8'] } for addresses, or { port: 9470 } for a separate port",
      )
    expect(resolve({ networks: ['::1'] }, 'production')).toEqual({ networks: ['::1'] })
  })

  it.each([
    ['everyone', /must be 'public'/],
    [{ use: [] }, /use/],
    [{ use: ['admin'] }, /a guard/],
    [{ networks: [] }, /networks/],
    [{ port: 70_000 }, /port/],
    [{ port: 1, host: 'a b' }, /a host name or an IP address/],
    [{ port: 1, networks: ['::1'] }, /port/],
  ])('does not take %j', (access, message) => {
    expect(() => resolve(access, 'dev')).toThrow(message)
  })

  it('admits callers of its networks, and those that pass its guards', async () => {
    const refused = guard({
      name: 'refused',
      run: () => {
        throw new PermissionDeniedError()
      },
    })
    expect(await statusOf('public')).toBe(200)
    expect(await statusOf({ networks: ['127.0.0.0/8'] })).toBe(200)
    expect(await statusOf({ networks: ['192.0.2.0/24'] })).toBe(403)
    expect(await statusOf({ use: [refused] })).toBe(403)
    await expect(statusOf({ networks: ['home'] })).rejects.toThrow('audit({ access: { networks } }): entry 1')
  })

  it('is described for the doctor', () => {
    expect(describeEndpointAccess('public')).toBe('without access control')
    expect(describeEndpointAccess({ networks: ['::1', '10.0.0.0/8'] })).toBe('to ::1, 10.0.0.0/8')
    expect(describeEndpointAccess({ port: 9470 })).toBe('on the separate port 127.0.0.1:9470')
  })
})

describe('a port of its own', () => {
  const open = (port: number, host = '127.0.0.1') =>
    openEndpointPort({
      owner: 'audit()',
      host,
      port,
      clock: systemClock,
      answer: (_request, response) => void response.end('rows'),
    })

  it('answers until it is closed', async () => {
    const server = await open(0)
    const url = `http://127.0.0.1:${server.port}/`
    expect(await (await fetch(url)).text()).toBe('rows')
    await server.close()
    await expect(fetch(url)).rejects.toThrow()
  })

  it('is a boot error where it is taken, and for an address of another machine', async () => {
    const server = await open(0)
    onTestFinished(() => server.close())
    await expect(open(server.port)).rejects.toMatchObject({
      code: 'unavailable_port',
      message: `audit(): the port 127.0.0.1:${server.port} is taken: choose another access.port`,
    })
    await expect(open(0, '192.0.2.1')).rejects.toMatchObject({ code: 'bad_option' })
  })
})
