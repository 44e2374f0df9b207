import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BootError } from '@twinwire/core'

/** What `build-pages.mjs` writes, beside `src` and `dist`. A function: in a bundle for `require` there is no URL of a module, and nothing may ask for it there. */
export function pageFolder(): URL {
  return new URL('../pages/', import.meta.url)
}

/**
 * The folder of the console, for `staticFiles`: a page that signs in, calls routes over either wire, subscribes to topics, and shows replies, events and
 * raw frames. It reads `openapi.json` and `asyncapi.json` beside it, so its prefix is that of the documents, `/`. **For development**: it can do no more
 * than any caller of the API, but production has no use for it.
 *
 * @throws BootError `bad_option` when the folder does not exist: in a repository without a build, or in an app that is bundled into another folder.
 *
 * @example
 * createApp({
 *   pkgIds: {},
 *   routes: {},
 *   endpoints: [staticFiles({ root: consoleFolder(), prefix: '/', access: 'public' })],
 *   plugins: [openapi()],
 * })
 */
export function consoleFolder(): URL {
  const folder = new URL('console/', pageFolder())
  if (existsSync(folder)) return folder
  throw new BootError(
    'bad_option',
    `consoleFolder(): there is nothing in ${fileURLToPath(folder)}: in the repository run "node packages/plugin-openapi/build-pages.mjs", beside a bundle of the app copy the folder "pages" of @twinwire/plugin-openapi there`,
  )
}
