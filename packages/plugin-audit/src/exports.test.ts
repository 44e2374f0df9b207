import { expect, it } from 'vitest'

it('@twinwire/plugin-audit', async () => {
  expect(Object.keys(await import('@twinwire/plugin-audit')).sort()).toMatchInlineSnapshot(`
    [
      "AuditRepository",
      "audit",
      "auditKey",
      "auditSettings",
      "auditTable",
      "audited",
    ]
  `)
})
