import { type DefaultTheme, defineConfig, type UserConfig } from 'vitepress'
import { toAnchor } from './anchors.ts'
import { emptyHeaders } from './empty-headers.ts'
import { writeRedirects } from './redirects.ts'
import { repositoryLinks } from './repository-links.ts'
import { search } from './search.ts'
import { referenceSidebar, sidebar } from './sidebar.ts'

const config: UserConfig<DefaultTheme.Config> = defineConfig({
  lang: 'en',
  title: 'Twinwire',
  description: 'TypeScript backends that speak WebSocket and HTTP at once',
  cleanUrls: true,
  buildEnd: ({ outDir }) => writeRedirects(outDir),
  // In kB: the index of the search is one chunk.
  vite: { build: { chunkSizeWarningLimit: 4_000 } },
  markdown: {
    anchor: { slugify: toAnchor },
    config: (md) => {
      repositoryLinks(md)
      emptyHeaders(md)
    },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    languageAlias: { haproxy: 'nginx', caddyfile: 'nginx' },
  },
  themeConfig: {
    sidebar: { '/': sidebar, '/reference/': [referenceSidebar] },
    search: { provider: 'local', options: search },
    outline: 'deep',
    notFound: {
      title: 'There is no such page',
      quote: 'Search for it with the keys Ctrl and K, or choose from the list of all pages.',
      linkText: 'All pages',
      linkLabel: 'All pages',
    },
    nav: [
      { text: 'Guide', link: '/' },
      { text: 'Protocol', link: '/wire-protocol' },
      { text: 'Deployment', link: '/deployment' },
      { text: 'Reference', link: '/reference/' },
    ],
  },
})

export default config
