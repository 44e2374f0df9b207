import type { Plugin } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { expect, it } from 'vitest'
import { authFrame, nextJson, startApp } from '../auth.fixtures.ts'
import { LogoutTokens } from './logout-token.ts'

it('a logout closes its socket in the turn in which its token is verified', async () => {
  const order: string[] = []
  const { verify } = LogoutTokens.prototype
  // Only observes: the next turn of the event loop begins after everything that this result triggers.
  LogoutTokens.prototype.verify = async function (this: LogoutTokens, token: string) {
    const result = await verify.call(this, token)
    order.push(`verified: ${result.kind}`)
    setImmediate(() => order.push('next turn'))
    process.nextTick(() => order.push('after this tick'))
    return result
  }
  const watch: Plugin = {
    name: 'watch',
    setup(host) {
      host.onDisconnect((_connection, { code }) => void order.push(`closed: ${code}`))
      host.onReply(({ route }) => void order.push(`answered: ${route.path}`))
    },
  }
  try {
    const { connect, request, issuer } = await startApp(
      (options, kit) => createTestApp(options, { ...kit, transport: 'uws' }),
      { backChannelLogout: true },
      { plugins: [watch] },
    )
    const socket = await connect()
    socket.send(authFrame(`Bearer ${issuer.token('ada', { sid: 's-1' })}`))
    await nextJson(socket)
    const logoutToken = issuer.logoutToken('ada', { sid: 's-1' })
    const body = new URLSearchParams({ logout_token: logoutToken }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    await request('POST /auth/backchannel-logout', { body, headers })
    await expect.poll(() => order.includes('next turn')).toBe(true)
    expect(order.filter((event) => !event.startsWith('after'))).toEqual([
      'verified: logout',
      'closed: 4004',
      'answered: /auth/backchannel-logout',
      'next turn',
    ])
    expect(order.indexOf('closed: 4004')).toBeLessThan(order.indexOf('next turn'))
    expect(await socket.closed).toMatchObject({ code: 4004 })
  } finally {
    LogoutTokens.prototype.verify = verify
  }
})
