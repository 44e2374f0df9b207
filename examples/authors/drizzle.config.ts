import { defineConfig } from 'drizzle-kit'

// `npm run db:generate` writes what changed in the tables into ./drizzle; the application applies it when it starts.
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/authors/author.table.ts',
  out: './drizzle',
})
