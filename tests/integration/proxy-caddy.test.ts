import { describe } from 'vitest'
import { hasCaddy, startCaddy } from '../support/caddy.ts'
import { proxySuite } from '../support/proxy-suite.ts'

describe.skipIf(!hasCaddy())('Caddy', () => {
  proxySuite({
    name: 'Caddy',
    start: startCaddy,
    keepsForged: false,
    hasBodyLimit: false,
    hasIdleLimit: false,
    reloadCode: 1001,
    passesOn: false,
    statusWithoutNode: [502, 503],
  })
})
