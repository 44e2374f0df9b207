// All tables, for drizzle-kit.
export { notes } from './features/notes/note.table.ts'
