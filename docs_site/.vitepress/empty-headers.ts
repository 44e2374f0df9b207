import type { MarkdownRenderer } from 'vitepress'

/** The empty header of a column is a plain cell: screen readers would announce a header without a name. */
export function emptyHeaders(md: MarkdownRenderer): void {
  md.core.ruler.push('empty-headers', ({ tokens }) => {
    for (const [i, token] of tokens.entries()) {
      const [open, close] = [tokens[i - 1], tokens[i + 1]]
      if (open?.type !== 'th_open' || close?.type !== 'th_close' || token.content.trim() !== '') continue
      open.tag = 'td'
      close.tag = 'td'
    }
  })
}
