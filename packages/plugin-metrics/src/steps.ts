import { type Call, guard, PermissionDeniedError, type Step } from '@twinwire/core'
import { createNetworks } from '@twinwire/core/plugin'

/** Lets callers from these addresses and networks through, and answers others `permission_denied`. */
export function fromNetworks(networks: readonly string[]): Step<'guard', void, Call> {
  const allowed = createNetworks(networks, 'metrics({ access: { networks } })')
  return guard({
    name: `metrics.fromNetworks(${networks.join(', ')})`,
    run: ({ address }) => {
      if (!allowed.has(address)) throw new PermissionDeniedError('Metrics are not for this address')
    },
  })
}
