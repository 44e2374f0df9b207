/** Without `nulls`, PostgreSQL's default: rows without a value are last in `asc`, first in `desc`. */
export type SortDirection =
  | 'asc'
  | 'desc'
  | 'asc nulls first'
  | 'asc nulls last'
  | 'desc nulls first'
  | 'desc nulls last'
