import { posix } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'

/** Links to files of the repository that are not pages: the site shows their paths instead. */
export function repositoryLinks(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('repository-links', ({ tokens, env }) => {
    const folder = posix.dirname(String(env.relativePath))
    for (const { children } of tokens) {
      let inside = false
      for (const token of children ?? []) {
        const href = token.type === 'link_open' ? String(token.attrGet('href') ?? '') : ''
        const target = href.startsWith('../') ? posix.join(folder, href) : ''
        if (target.startsWith('../')) {
          inside = true
          token.tag = 'span'
          token.attrs = [['title', `${target.slice('../'.length)} of the repository`]]
        } else if (token.type === 'link_close' && inside) {
          inside = false
          token.tag = 'span'
        }
      }
    }
  })
}
