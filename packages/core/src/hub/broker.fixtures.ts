import type { Broker } from './broker.ts'

/** A broker that does nothing but what `parts` say. */
export function brokerOf(parts: Partial<Broker>): Broker {
  const none = (): null => null
  return {
    name: 'test',
    oneProcess: false,
    start: () => {},
    close: () => {},
    publish: none,
    subscribe: none,
    unsubscribe: () => {},
    history: none,
    join: () => {},
    leave: () => {},
    presence: () => ({ members: [], cursor: null }),
    control: () => {},
    nodes: () => [],
    ...parts,
  }
}
