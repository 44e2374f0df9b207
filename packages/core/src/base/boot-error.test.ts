import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createApp } from '../app/app.ts'
import { listenSettings } from '../app/core-settings.ts'
import { defineSettings } from '../settings/settings.ts'
import { BootError } from './boot-error.ts'
import { bootErrorCodes } from './boot-error-codes.ts'

const root = new URL('../../../../', import.meta.url)
const codes = Object.keys(bootErrorCodes).sort()

/** The sources of the packages, without tests. */
const readSources = (folder: string): readonly string[] =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter(
      (file) => file.endsWith('.ts') && !/node_modules|dist\/|\.test(?:-d)?\.ts$|boot-error-codes\.ts$/.test(file),
    )
    .map((file) => readFileSync(new URL(folder + file, root), 'utf8'))
const sources = readSources('packages/core/src/')
const allSources = ['broker-redis', 'redis', 'plugin-auth', 'plugin-metrics', 'plugin-audit'].flatMap((name) =>
  readSources(`packages/${name}/src/`),
)

/** Each string of the sources as a pattern, where `${…}` fits anything. A short one would fit every message. */
const patterns = [/`((?:[^`\\]|\\.)*)`/g, /'((?:[^'\\\n]|\\.)*)'/g, /"((?:[^"\\\n]|\\.)*)"/g]
  .flatMap((literal) => [...sources, ...allSources].flatMap((source) => [...source.matchAll(literal)]))
  .map(([, text = '']) => text.split(/\$\{[^`]*?\}/))
  .filter((parts) => parts.join('').length >= 20)
  .map((parts) => new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+?')}$`))

/** The error of a declaration. */
function bootErrorOf(declare: () => unknown): BootError | null {
  try {
    declare()
    return null
  } catch (error) {
    return error instanceof BootError ? error : null
  }
}

describe('the codes of boot errors', () => {
  it('are thrown somewhere', () => {
    const unused = codes.filter((code) => !sources.some((source) => source.includes(`'${code}'`)))
    expect(unused).toEqual([])
  })

  it('begin with an adjective that says what is wrong', () => {
    const adjectives =
      /^(?:bad|conflicting|duplicate|failed|mismatched|missing|unavailable|unknown|unreachable|unused|wrong)_/
    expect(codes.filter((code) => !adjectives.test(code))).toEqual([])
  })

  it.each([
    ['unknown_option', () => createApp({ pkgIds: {}, routes: {}, health: Object({ pth: '/probe' }) })],
    ['bad_settings', () => defineSettings({ listen: listenSettings }).read({ variables: { PORT: 'x' } })],
    ['bad_option', () => createApp({ pkgIds: {}, routes: {}, deadlineMs: -1 })],
  ] as const)('%s: its example is what such an app gets', (code, declare) => {
    const { code: thrown, message } = bootErrorOf(declare) ?? {}
    expect([thrown, message]).toEqual([code, bootErrorCodes[code].example])
  })

  it.each(Object.entries(bootErrorCodes).filter(([code]) => !/^(?:unknown|bad)_option$|^bad_settings$/.test(code)))(
    '%s: its example is a message of the source',
    (_code, { example }) => {
      expect(patterns.some((pattern) => pattern.test(example))).toBe(true)
    },
  )
})
