// Each link that a message ends with has an anchor in its page, as the site makes them.
import { readFileSync } from 'node:fs'
import { errorCodes } from '@twinwire/core'
import { expect, test } from 'vitest'
import { toAnchor } from '../../docs_site/.vitepress/anchors.ts'
import { redisBootErrors } from '../../packages/broker-redis/src/boot-errors.ts'
import { bootErrorCodes } from '../../packages/core/src/base/boot-error-codes.ts'
import { toAnchor as toLinkAnchor } from '../../packages/core/src/base/docs-links.ts'
import { authBootErrors } from '../../packages/plugin-auth/src/boot-errors.ts'

/** Of headings, and of `<a id>` in tables. */
function anchorsOf(page: string): ReadonlySet<string> {
  const markdown = readFileSync(new URL(`../../docs_site/${page}.md`, import.meta.url), 'utf8')
  const headings = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => toAnchor(heading))
  return new Set([...headings, ...[...markdown.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)])
}

test.each(Object.keys({ ...bootErrorCodes, ...authBootErrors, ...redisBootErrors }))('boot error %s', (code) => {
  expect(anchorsOf('boot-errors').has(toLinkAnchor(code))).toBe(true)
})

test.each(Object.keys(errorCodes))('error %s', (code) => {
  expect(anchorsOf('wire-protocol').has(toLinkAnchor(code))).toBe(true)
})
