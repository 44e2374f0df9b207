import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { rules } from './rules.ts'

it('docs_site/api-diff.md has every rule with its severity, in the same order', () => {
  const page = readFileSync(new URL('../../../../docs_site/api-diff.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| (breaking|review|compatible) \|/gm)].map(([, rule, severity]) => [
    rule,
    severity,
  ])
  expect(rows).toEqual(Object.entries(rules))
})
