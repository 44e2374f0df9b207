/** A table in Markdown. Cells are Markdown: a `|` in one is escaped. */
export function toTable(head, rows) {
  const line = (cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`.replace(/ {2,}\|/g, ' |')
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

/** A cell that is code, or empty. */
export const toCode = (text) => (text === '' ? '' : `\`${text}\``)

/**
 * A page with the text between `<!-- table: name -->` and `<!-- /table -->` replaced by that of `parts`.
 * Throws if a part has no place in the page, or a place no part.
 */
export function fillPage(name, page, parts) {
  const missing = new Set(Object.keys(parts))
  const filled = page.replace(/(<!-- table: ([\w-]+) -->\n)[\s\S]*?(<!-- \/table -->)/g, (_all, start, part, end) => {
    if (!missing.delete(part))
      throw new Error(`${name} has a place for the table ${part}, which is not made for it, or twice`)
    return `${start}\n${parts[part]}\n\n${end}`
  })
  if (missing.size > 0)
    throw new Error(
      `${name} has no place for the table ${[...missing].join(', ')}: add <!-- table: … --> and <!-- /table -->`,
    )
  return filled
}
