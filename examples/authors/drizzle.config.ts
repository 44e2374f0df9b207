import { defineConfig } from 'drizzle-kit'

// `npm run db:generate` writes changes of the tables into ./drizzle; the application applies them at start.
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/tables.ts',
  out: './drizzle',
})
