import { describe } from 'vitest'
import { describeBodies } from './contract/bodies.ts'
import { type ContractSubject, createContractFixture } from './contract/fixture.ts'
import { describeFlushing } from './contract/flushing.ts'
import { describeListening } from './contract/listening.ts'
import { describeMalformedHeads } from './contract/malformed.ts'
import { describeResponses } from './contract/responses.ts'
import { describeSocketLimits } from './contract/socket-limits.ts'
import { describeSockets } from './contract/sockets.ts'
import { describeUpgrades } from './contract/upgrades.ts'

/** The sentences of the port, as tests. Both implementations run them; what only one can show lies beside it. */
export function describeTransportContract(name: string, subject: ContractSubject): void {
  describe(name, () => {
    const fixture = createContractFixture(subject)
    describeListening(fixture)
    describeUpgrades(fixture)
    describeSockets(fixture)
    describeSocketLimits(fixture)
    describeBodies(fixture)
    describeMalformedHeads(fixture)
    describeResponses(fixture)
    describeFlushing(fixture)
  })
}
