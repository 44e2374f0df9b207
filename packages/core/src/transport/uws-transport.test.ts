import * as vitest from 'vitest'
import { networkRawClient } from '../testing/network-raw-client.ts'
import { transportSuite } from '../testing/suites/transport.suite.ts'
import { uws } from './uws-server.ts'

vitest.describe('uws', () => {
  transportSuite(vitest, { createTransport: uws, createClient: (_transport, port) => networkRawClient({ port }) })
})
