// The pages of docs_site that are written by hand.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../docs_site/', import.meta.url))

/** Paths below docs_site, without `.md`. Those of `reference` are written by `npm run docs`. */
export function sitePages(): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !/node_modules|\.vitepress|^reference[/\\]/.test(file))
    .map((file) => file.slice(0, -'.md'.length))
}
