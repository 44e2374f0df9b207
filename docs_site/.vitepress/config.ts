import { type DefaultTheme, defineConfig, type UserConfig } from 'vitepress'
import { toAnchor } from './anchors.ts'
import { repositoryLinks } from './repository-links.ts'
import { referenceSidebar, sidebar } from './sidebar.ts'

const config: UserConfig<DefaultTheme.Config> = defineConfig({
  lang: 'en',
  title: 'Twinwire',
  description: 'TypeScript backends that speak WebSocket and HTTP at once',
  cleanUrls: true,
  // In kB: the index of the search is one chunk.
  vite: { build: { chunkSizeWarningLimit: 4_000 } },
  markdown: {
    anchor: { slugify: toAnchor },
    config: repositoryLinks,
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    languageAlias: { haproxy: 'nginx', caddyfile: 'nginx' },
  },
  themeConfig: {
    sidebar: { '/': sidebar, '/reference/': [referenceSidebar] },
    search: { provider: 'local' },
    outline: 'deep',
    nav: [
      { text: 'Guide', link: '/' },
      { text: 'Protocol', link: '/wire-protocol' },
      { text: 'Deployment', link: '/deployment' },
      { text: 'Reference', link: '/reference/' },
    ],
  },
})

export default config
