import fc from 'fast-check'

/** One thing that a model does. Numbers choose among what exists then. */
export type Operation =
  | { readonly op: 'steps'; readonly picks: readonly number[] }
  | { readonly op: 'publish'; readonly node: number; readonly stream: number }
  | { readonly op: 'subscribe'; readonly who: number; readonly stream: number; readonly since: number }
  | { readonly op: 'join' | 'leave'; readonly who: number; readonly stream: number }
  /** `return`: to another node, with the position that the client knows. */
  | { readonly op: 'connect' | 'return'; readonly who: number; readonly node: number }
  | { readonly op: 'close'; readonly who: number }
  | { readonly op: 'cut' | 'restore' | 'kill'; readonly node: number }
  | { readonly op: 'trim'; readonly stream: number; readonly keep: number }
  | { readonly op: 'wait'; readonly ms: number }
  | { readonly op: 'empty' }

const small = fc.nat({ max: 11 })

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      op: fc.constant('steps' as const),
      picks: fc.array(fc.nat({ max: 999 }), { minLength: 1, maxLength: 12, size: 'max' }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ op: fc.constant('publish' as const), node: small, stream: small }) },
  {
    weight: 8,
    arbitrary: fc.record({ op: fc.constant('subscribe' as const), who: small, stream: small, since: small }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('join' as const), who: small, stream: small }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('leave' as const), who: small, stream: small }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('connect' as const), who: small, node: small }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('return' as const), who: small, node: small }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('close' as const), who: small }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('cut' as const), node: small }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('restore' as const), node: small }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('trim' as const), stream: small, keep: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.constantFrom(500, 1000, 61_000) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('kill' as const), node: small }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('empty' as const) }) },
)
