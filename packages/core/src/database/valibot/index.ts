export {
  type FilterInput,
  type FilterOutput,
  type FilterSpec,
  filterSchema,
  type JoinedFilters,
} from './filter-schema.ts'
export { filtersFromQuery } from './filters-from-query.ts'
export { type PageInput, type PageInputOptions, pageInput } from './page-input.ts'
export { sortSchema } from './sort-schema.ts'
