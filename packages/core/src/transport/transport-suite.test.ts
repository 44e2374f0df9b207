import { networkRawClient } from '../testing/network-raw-client.ts'
import { describeTransportContract } from '../testing/transport-suite/transport.suite.ts'
import { uws } from './uws-server.ts'

// The memory transport runs the same suite in memory-transport.test.ts.
describeTransportContract('uws', {
  createTransport: uws,
  createClient: (_transport, port) => networkRawClient({ port }),
})
