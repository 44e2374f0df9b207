import { networkRawClient } from '../testing/network-raw-client.ts'
import { describeTransportContract } from './transport-contract.ts'
import { uws } from './uws-server.ts'

describeTransportContract('uws transport', {
  createTransport: () => uws(),
  createClient: (_transport, port) => networkRawClient({ port }),
})
