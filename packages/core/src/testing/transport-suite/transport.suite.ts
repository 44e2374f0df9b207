import { describe } from 'vitest'
import { describeBodies } from './bodies.ts'
import { type ContractSubject, createContractFixture } from './fixture.ts'
import { describeFlushing } from './flushing.ts'
import { describeListening } from './listening.ts'
import { describeMalformedHeads } from './malformed.ts'
import { describeResponses } from './responses.ts'
import { describeSocketLimits } from './socket-limits.ts'
import { describeSockets } from './sockets.ts'
import { describeUpgrades } from './upgrades.ts'

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
