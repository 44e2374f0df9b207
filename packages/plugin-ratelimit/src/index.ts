export type { Rule, RuleScope } from './rule.ts'
export type {
  Lease,
  LimitStore,
  LimitStoreFactory,
  Seat,
  Standing,
  StoreServices,
  Take,
  Verdict,
} from './store.ts'
