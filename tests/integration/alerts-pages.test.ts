// The pages about alerts, and what dashboards say of them, against the alerts of the example.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { alerts, dashboards } from '../support/dashboards.ts'

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')
const names = alerts.map(({ alert }) => alert)

it.each(alerts)('the runbook of $alert is an entry of the page, with what to look at', ({ alert, annotations }) => {
  const [path = '', anchor = ''] = (annotations.runbook ?? '').split('#')
  const entries = [...read(path).matchAll(/^### (\w+)\n\n(.+)\n/gm)].map(([, heading = '', entry = '']) => ({
    anchor: heading.toLowerCase(),
    heading,
    entry,
  }))
  expect(entries.find((each) => each.anchor === anchor)).toEqual({
    anchor,
    heading: alert,
    entry: expect.stringMatching(/^.{10,}\. Look at: .{20,}$/),
  })
})

it('has entries of alerts that exist alone', () => {
  const page = read('docs_site/troubleshooting.md').split('\n## Alerts\n')[1]?.split('\n## ')[0] ?? ''
  const headings = [...page.matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading)
  expect(headings.toSorted()).toEqual(names.toSorted())
})

describe('docs_site/reference-alerts.md', () => {
  const page = read('docs_site/reference-alerts.md')
  const rows = [...page.matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, name = '', before = '', now = '']) => ({
      name,
      before,
      now,
    }),
  )

  it('has the 34 alerts of the reference once each, 17 of which never fire', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(34)
    expect(rows).toHaveLength(34)
    expect(rows.filter(({ before }) => before.startsWith('never fires')).length).toBe(17)
  })

  it('says of each which of our alerts replaces it, or why there is none', () => {
    for (const { name, now } of rows) {
      const replaced = /^`(\w+)`/.exec(now)?.[1]
      if (replaced === undefined) expect([name, now]).toEqual([name, expect.stringMatching(/^(?:no alert: |dropped)/)])
      else expect(names).toContain(replaced)
    }
  })

  it('names each of our alerts', () => {
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  })
})

it('the dashboards name alerts that exist', () => {
  const named = dashboards.flatMap(({ text }) => [...text.matchAll(/the alert (\w+)/g)].map(([, name = '']) => name))
  expect(named.length).toBeGreaterThan(15)
  expect(named.filter((name) => !names.includes(name))).toEqual([])
})
