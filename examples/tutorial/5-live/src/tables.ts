// All tables, for drizzle-kit.
export { items } from './items/item.table.ts'
