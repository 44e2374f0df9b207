/** Where rows without a value stand is PostgreSQL's own rule unless it is said: last in `asc`, first in `desc`. */
export type SortDirection =
  | 'asc'
  | 'desc'
  | 'asc nulls first'
  | 'asc nulls last'
  | 'desc nulls first'
  | 'desc nulls last'
