// As `npm run dev` restarts it at each change: its callers stay signed in.
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startExample } from '../support/example.ts'
import { freePort } from '../support/service.ts'

const keys = fileURLToPath(new URL('../../examples/authors/.issuer-keys.json', import.meta.url))

test('a token of the development issuer outlives a restart of the example', async () => {
  // The port is part of the name of the issuer.
  const env = { ENV: 'dev', DEVELOPMENT_ISSUER_PORT: String(await freePort()) }
  const first = await startExample({ databaseUrl: 'pglite://memory', env })
  const token = first.tokens?.reader ?? ''
  expect(await first.stop()).toEqual({ code: 0, signal: null })
  const second = await startExample({ databaseUrl: 'pglite://memory', env })
  try {
    const ask = (authorization: string): Promise<Response> =>
      fetch(`${second.url}/authors`, { headers: { authorization } })
    expect((await ask(`Bearer ${token}`)).status).toBe(200)
    expect((await ask(`Bearer ${token.slice(0, -4)}AAAA`)).status).toBe(401)
    expect(statSync(keys).mode & 0o777).toBe(0o600)
  } finally {
    await second.stop()
  }
}, 240_000)
