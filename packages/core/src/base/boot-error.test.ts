import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bootErrorCodes } from './boot-error.ts'

const root = new URL('../../../../', import.meta.url)
const codes = Object.keys(bootErrorCodes).sort()

/** The sources of core, without tests. */
const sources = readdirSync(new URL('packages/core/src/', root), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|\.test-d\.ts$|boot-error\.ts$/.test(file))
  .map((file) => readFileSync(new URL(`packages/core/src/${file}`, root), 'utf8'))

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

  it('are the table of docs_site/boot-errors.md', () => {
    const page = readFileSync(new URL('docs_site/boot-errors.md', root), 'utf8')
    const rows = [...page.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, code = '', meaning]) => [code, meaning])
    expect(Object.fromEntries(rows)).toEqual(bootErrorCodes)
  })
})
