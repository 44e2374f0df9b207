import type { DefaultTheme } from 'vitepress'

/**
 * The guide is found before the pages that explain it to others, and those before the generated reference, which has every word many times.
 * VitePress writes the functions into each page as text: they may use nothing from outside of them.
 */
export const search: DefaultTheme.LocalSearchOptions = {
  miniSearch: {
    searchOptions: {
      // A short word with another letter is another word: `cors` is not `core`, nor 401 404.
      fuzzy: (term) => (term.length > 5 ? 0.2 : false),
      boostDocument: (id) => {
        const page = String(id)
        if (page.startsWith('/reference/')) return 0.1
        if (/^\/(decisions\/|reference-|coming-from\/python-reference)/.test(page)) return 0.2
        if (/^\/(coming-from|recipes|tutorial)\//.test(page)) return 0.5
        // Pages of tables, which have each word too.
        return /^\/(boot-errors|limits|metrics|performance|reliability|settings|wire)(#|$)/.test(page) ? 0.6 : 1
      },
    },
  },
}
