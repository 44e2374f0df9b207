import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { BootError } from '@twinwire/core'
import { createRemoteJWKSet, decodeProtectedHeader, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { createTestIssuer, type TestIssuer, type TestIssuerOptions } from './test-issuer.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinwire-keys-'))
  return () => rm(folder, { recursive: true })
})
const keysFile = (): string => join(folder, 'kept/keys.json')

async function start(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const issuer = await createTestIssuer({
    algorithms: ['ES256'],
    keysFile: keysFile(),
    users: [{ username: 'ada' }],
    ...options,
  })
  onTestFinished(() => issuer.stop())
  return issuer
}

async function verify(issuer: TestIssuer, token: string): Promise<JWTPayload> {
  return (await jwtVerify(token, createRemoteJWKSet(new URL(`${issuer.issuer}/protocol/openid-connect/certs`)))).payload
}

it.each(['RS256', 'ES384', 'EdDSA'] as const)(
  'tokens of %s stay valid for an issuer that starts later',
  async (name) => {
    const [first, other] = [
      await start({ algorithms: [name] }),
      await start({ algorithms: [name], keysFile: join(folder, 'other') }),
    ]
    const token = first.token('ada')
    await first.stop()
    const second = await start({ algorithms: [name] })
    expect(await verify(second, token)).toMatchObject({ preferred_username: 'ada' })
    await expect(verify(second, other.token('ada'))).rejects.toThrow('no applicable key')
  },
)

it('the file is for its owner only, and private', async () => {
  await start()
  const { keys } = JSON.parse(await readFile(keysFile(), 'utf8'))
  expect(keys).toEqual([expect.objectContaining({ kty: 'EC', crv: 'P-256', alg: 'ES256', d: expect.any(String) })])
  // Windows has no such modes.
  if (process.platform !== 'win32') expect((await stat(keysFile())).mode & 0o777).toBe(0o600)
})

it('what is published has no private part', async () => {
  await start()
  const issuer = await start()
  const { keys }: JSONWebKeySet = JSON.parse(
    await (await fetch(`${issuer.issuer}/protocol/openid-connect/certs`)).text(),
  )
  expect(keys).toHaveLength(2)
  for (const key of keys) expect(key).not.toHaveProperty('d')
})

it('a key of an algorithm that is added is created, and those that are there stay', async () => {
  const token = (await start()).token('ada')
  await start({ algorithms: ['ES384', 'ES256'] })
  const later = await start({ algorithms: ['ES384', 'ES256'] })
  expect(decodeProtectedHeader(later.token('ada')).alg).toBe('ES384')
  expect(await verify(later, token)).toMatchObject({ preferred_username: 'ada' })
})

it('keeps the keys of a rotation', async () => {
  const issuer = await start()
  issuer.rotateKeys()
  expect(await verify(await start(), issuer.token('ada'))).toMatchObject({ preferred_username: 'ada' })
})

it.each([
  ['', 'is not a set of signing keys (Unexpected end of JSON input)'],
  ['{}', 'is not a set of signing keys ('],
  ['{"keys":[{"alg":"HS256"}]}', 'is not a set of signing keys (there is no algorithm "HS256")'],
  [
    '{"keys":[{"alg":"RS256","kty":"EC","crv":"P-256"}]}',
    'is not a set of signing keys (a key of RS256 has the curve P-256)',
  ],
  ['{"keys":[{"alg":"ES256","kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}', 'is not a set of signing keys ('],
])('a file with %j is a boot error', async (text, problem) => {
  const file = join(folder, 'broken.json')
  await writeFile(file, text)
  const starting = start({ keysFile: file })
  await expect(starting).rejects.toBeInstanceOf(BootError)
  await expect(starting).rejects.toMatchObject({ code: 'bad_option' })
  await expect(starting).rejects.toThrow(`createTestIssuer(): the keysFile ${file} ${problem}`)
  await expect(starting).rejects.toThrow('): delete it, and new keys are created')
  // It is left as it is.
  expect(await readFile(file, 'utf8')).toBe(text)
})

it('a folder is a boot error, and so is one where it cannot be written', async () => {
  await expect(start({ keysFile: folder })).rejects.toThrow(`the keysFile ${folder} cannot be read (EISDIR`)
  await writeFile(join(folder, 'file'), '')
  const below = join(folder, 'file/keys.json')
  await expect(start({ keysFile: below })).rejects.toThrow(/the keysFile .* cannot be (?:read|written) \(E/)
})
