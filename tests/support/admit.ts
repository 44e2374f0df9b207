import type { Plugin } from '@twinwire/core'

/** Owns identity and handshake, and accepts any token: `{"type":"auth","token":"ann"}` is Ann, `authorization: Bearer ann` too. */
export const admit: Plugin = {
  name: 'admit',
  setup(host) {
    host.identify(({ headers }) => {
      const [, id] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? []
      return id === undefined ? null : { id, name: id }
    })
    host.controlFrame(
      'auth',
      ({ token }) => ({ identity: { id: String(token), name: String(token) }, reply: { type: 'auth_ok' } }),
      { timeoutMs: 60_000 },
    )
  },
}
