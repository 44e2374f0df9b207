/**
 * Filters, sort orders and pages as input schemas.
 *
 * @packageDocumentation
 */
export {
  type FilterInput,
  type FilterOutput,
  type FilterSpec,
  filterSchema,
  type JoinedFilters,
} from './database/valibot/filter-schema.ts'
export { filtersFromQuery } from './database/valibot/filters-from-query.ts'
export { type PageInput, type PageInputOptions, pageInput } from './database/valibot/page-input.ts'
export { sortSchema } from './database/valibot/sort-schema.ts'
