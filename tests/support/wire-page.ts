import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Rows of the tables of docs_site/wire.md below a heading: the text of each first cell. */
export function wireRows(heading: string): readonly string[] {
  const page = readFileSync(fileURLToPath(new URL('../../docs_site/wire.md', import.meta.url)), 'utf8')
  const section = page.split('\n## ').find((part) => part.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`docs_site/wire.md has no section '${heading}'`)
  const lines = section.split('\n')
  return lines.flatMap((line, at) => {
    const isHead = lines[at + 1]?.startsWith('|---') ?? false
    if (!line.startsWith('| ') || isHead) return []
    return [(line.split('|')[1] ?? '').replaceAll('`', '').trim()]
  })
}
