import { defineConfig } from 'drizzle-kit'

// `db:generate` writes changes of the tables into ./drizzle; the application applies them at start.
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/schema.ts',
  out: './drizzle',
})
