import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BootError, toShownMessage } from '../base/boot-error.ts'
import { homepage } from '../base/docs-links.ts'
import { NotFoundError } from '../errors/app-error.ts'
import { defineErrors } from '../errors/define-errors.ts'
import type { Plugin } from '../plugin/plugin.ts'
import { route } from '../route/route.ts'
import { createTestApp } from '../testing/create-test-app.ts'
import { createApp } from './app.ts'
import type { DocsOptions } from './docs-option.ts'

const docs = { url: 'https://docs.example/' }

beforeEach(() => {
  vi.stubEnv('DOCS_URL', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
})

/** The boot error of an app. */
async function failed(start: () => unknown): Promise<BootError> {
  try {
    await start()
  } catch (error) {
    if (error instanceof BootError) return error
    throw error
  }
  throw new Error('It has started')
}

it('the homepage is that of the package', () => {
  const manifest: { readonly homepage?: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  expect(homepage).toBe(manifest.homepage ?? null)
})

describe('a boot error', () => {
  it('has the link of DOCS_URL in its stack, which is what Node.js prints, and not in its message', () => {
    vi.stubEnv('DOCS_URL', 'https://docs.example')
    const error = new BootError('bad_option', 'mail(): retries is $& wrong')
    expect(error.message).toBe('mail(): retries is $& wrong')
    expect(error.docs).toBe('https://docs.example/boot-errors#bad_option')
    expect(error.stack?.split('\n')[0]).toMatch(
      /Error: mail\(\): retries is \$& wrong \(https:\/\/docs\.example\/boot-errors#bad_option\)$/,
    )
    expect(toShownMessage(error)).toBe('mail(): retries is $& wrong (https://docs.example/boot-errors#bad_option)')
  })

  it.each(['', 'off', 'nonsense'])('has none with DOCS_URL=%s', (url) => {
    vi.stubEnv('DOCS_URL', url)
    expect(new BootError('bad_option', 'Wrong')).toMatchObject({ docs: null, message: 'Wrong' })
  })

  it('has the address that was given with it, and none for a code that no page has', () => {
    vi.stubEnv('DOCS_URL', 'https://docs.example')
    expect(new BootError('mail.old', 'Old', { docs: 'https://mail.example/errors#old' }).docs).toBe(
      'https://mail.example/errors#old',
    )
    expect(new BootError('auth.wrong_issuer', 'x', { docs: 'boot-errors#authwrong_issuer' }).docs).toBe(
      'https://docs.example/boot-errors#authwrong_issuer',
    )
    expect(new BootError('mail.old', 'Old').docs).toBeNull()
  })

  it('of createApp, ready and listen has the link of the option', async () => {
    const plugin = { name: 'mail', setup: () => Promise.reject(new BootError('wrong_state', 'Not now')) }
    const options = { pkgIds: {}, routes: {}, docs, log: 'silent' } as const
    const errors = [
      await failed(() => createApp({ ...options, deadlineMs: -1 })),
      await failed(() => createApp({ ...options, plugins: [plugin] }).ready()),
      await failed(() => createApp({ ...options, plugins: [plugin] }).listen({ port: 0 })),
    ]
    expect(errors.map((error) => error.docs)).toEqual([
      'https://docs.example/boot-errors#bad_option',
      'https://docs.example/boot-errors#wrong_state',
      'https://docs.example/boot-errors#wrong_state',
    ])
    for (const { docs, stack } of errors) expect(stack?.split('\n')[0]).toContain(`(${docs})`)
  })

  it.each<[string, false | DocsOptions]>([
    ['false', false],
    ['off', { url: 'off' }],
  ])('has no link with docs: %s, whatever DOCS_URL is', async (_name, off) => {
    vi.stubEnv('DOCS_URL', 'https://docs.example')
    const error = await failed(() => createApp({ pkgIds: {}, routes: {}, docs: off, deadlineMs: -1 }))
    expect(error.docs).toBeNull()
    expect(error.stack).not.toContain('https://')
  })

  const ofMail: Plugin = {
    name: 'mail',
    docs: 'https://mail.example/errors',
    setup: () => {
      throw new BootError('mail.old', 'Old', { docs: 'https://mail.example/errors#old' })
    },
  }

  it.each<[string, string, false | DocsOptions | undefined]>([
    ['docs: false', 'https://docs.example', false],
    ["docs: { url: 'off' }", 'https://docs.example', { url: 'off' }],
    ['DOCS_URL=off', 'off', undefined],
  ])('of a plugin, with an address of its own, has no link with %s', async (_name, variable, off) => {
    vi.stubEnv('DOCS_URL', variable)
    const options = { pkgIds: {}, routes: {}, plugins: [ofMail], log: 'silent', environment: 'dev' } as const
    const error = await failed(() => createApp(off === undefined ? options : { ...options, docs: off }).ready())
    expect(error.docs).toBeNull()
    expect(error.stack).not.toContain('https://')
  })

  it('is thrown without a link while DOCS_URL=off', () => {
    vi.stubEnv('DOCS_URL', 'off')
    expect(new BootError('mail.old', 'Old', { docs: 'https://mail.example/errors#old' }).docs).toBeNull()
  })

  it.each([
    'https://user:secret@docs.example',
    'https://docs.example?page=1',
    'https://docs.example/#top',
    'https://docs.example\nnext line',
    'https://docs.example/\u202E',
    'https://docs.example/"quoted"',
  ])('does not end with %j', async (url) => {
    vi.stubEnv('DOCS_URL', url)
    expect(new BootError('bad_option', 'Wrong').docs).toBeNull()
    vi.stubEnv('DOCS_URL', '')
    const error = await failed(() => createApp({ pkgIds: {}, routes: {}, docs: { url } }))
    expect(error).toMatchObject({ code: 'bad_option', docs: null })
    const plugin: Plugin = { name: 'mail', docs: `${url}#`, setup: () => null }
    expect(await failed(() => createApp({ pkgIds: {}, routes: {}, plugins: [plugin] }))).toMatchObject({
      code: 'bad_option',
      docs: null,
    })
    vi.stubEnv('DOCS_URL', 'https://docs.example')
    expect(new BootError('mail.old', 'Old', { docs: 'https://user:secret@mail.example' }).docs).toBeNull()
  })

  it('of a plugin has the link of the plugin', async () => {
    const plugin: Plugin = {
      name: 'mail',
      docs: 'https://mail.example/errors',
      setup: () => {
        throw new BootError('mail.no_server', 'No server')
      },
    }
    const error = await failed(() => createApp({ pkgIds: {}, routes: {}, plugins: [plugin], log: 'silent' }).ready())
    expect(error.docs).toBe('https://mail.example/errors#mailno_server')
  })

  it('is thrown for an address that is none', async () => {
    const plugin: Plugin = { name: 'mail', docs: 'errors.md', setup: () => null }
    const ofPlugin = await failed(() => createApp({ pkgIds: {}, routes: {}, plugins: [plugin] }))
    expect(ofPlugin.message).toBe(
      "Plugin 'mail': docs must be an http or https address without credentials and #, received 'errors.md'",
    )
    const ofApp = await failed(() => createApp({ pkgIds: {}, routes: {}, docs: { url: 'docs' } }))
    expect(ofApp.message).toContain(
      "docs.url must be an http or https address without credentials, ? and #, or 'off', received 'docs'",
    )
  })
})

describe('an error of a call', () => {
  const { bounced } = defineErrors('mail', { bounced: { httpStatus: 409, message: 'Bounced' } })
  const { closed } = defineErrors('shop', { closed: { httpStatus: 503, message: 'Closed' } })
  const throwing = (path: '/miss' | '/bounce' | '/shut', error: () => Error) =>
    route({
      http: `GET ${path}`,
      access: 'public',
      handler: () => {
        throw error()
      },
    })
  const options = (environment: 'dev' | 'test' | 'staging' | 'production') =>
    ({
      environment,
      pkgIds: { MISS: 1, BOUNCE: 2, SHUT: 3 },
      routes: {
        MISS: throwing('/miss', () => new NotFoundError('No author 7')),
        BOUNCE: throwing('/bounce', () => bounced()),
        SHUT: throwing('/shut', () => closed()),
      },
      defaultAccess: 'public',
      http: { hosts: ['*'] },
      plugins: [{ name: 'mail', docs: 'https://mail.example/errors', setup: () => null }],
      docs,
    }) as const

  it('ends with a link in development, on both wires and in the log', async () => {
    const app = await createTestApp(options('dev'))
    try {
      const client = await app.client()
      const messages: unknown[] = []
      for (const path of ['/miss', '/bounce', '/shut'])
        messages.push(JSON.parse((await app.request(`GET ${path}`)).text).error.msg)
      expect(messages).toEqual([
        'No author 7 (https://docs.example/wire-protocol#not_found)',
        'Bounced (https://mail.example/errors#mailbounced)',
        'Closed',
      ])
      await expect(client.call('MISS')).rejects.toThrow('No author 7 (https://docs.example/wire-protocol#not_found)')
      await expect(client.call('BOUNCE')).rejects.toThrow('Bounced (https://mail.example/errors#mailbounced)')
      expect(app.logs.map(({ message }) => message)).toContain(
        'Call failed (https://docs.example/wire-protocol#not_found)',
      )
    } finally {
      await app.close()
    }
  })

  it.each(['test', 'staging', 'production'] as const)('is as it was thrown in %s', async (environment) => {
    const app = await createTestApp(options(environment))
    try {
      expect(JSON.parse((await app.request('GET /miss')).text).error.msg).toBe('No author 7')
      expect(app.logs.map(({ message }) => message).join()).not.toContain('https://docs.example')
    } finally {
      await app.close()
    }
  })
})
