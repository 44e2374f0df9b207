/** What `build-pages.mjs` writes, beside `src` and `dist`. */
export const pageFolder: URL = new URL('../pages/', import.meta.url)

/**
 * The folder of the console: a page that signs in, calls routes over either wire, subscribes to topics and shows replies, events and raw frames. It
 * reads `openapi.json` and `asyncapi.json` beside it. **For development**: what it does a caller of the API can do as well, but production has no use for it.
 *
 * @example
 * createApp({
 *   pkgIds: {},
 *   routes: {},
 *   endpoints: [staticFiles({ root: consoleFolder, prefix: '/', access: 'public' })],
 *   plugins: [openapi()],
 * })
 */
export const consoleFolder: URL = new URL('console/', pageFolder)
