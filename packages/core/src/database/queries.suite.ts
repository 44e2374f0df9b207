import type { DatabaseApi } from './database.ts'
import { describeEqualKeys } from './equal-keys.suite.ts'
import { describeFilters } from './filters.suite.ts'
import { describePagination } from './pagination.suite.ts'

/** Queries that repositories build, on any driver: what a driver has to do for them is in its suite. */
export function describeQueries(open: () => DatabaseApi): void {
  describeFilters(open)
  describePagination(open)
  describeEqualKeys(open)
}
