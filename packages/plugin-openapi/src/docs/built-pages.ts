import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BootError } from '@twinwire/core'
import { pageFolder } from '../page-folder.ts'

/** Below the folder of pages. */
const folders = ['http', 'websocket', 'swagger']

/** The pages as they were built. */
export interface BuiltPages {
  readonly root: URL
  /** What pages load: paths by name below the root, `http/page.js`. */
  readonly assets: ReadonlyMap<string, string>
  /** The text of each page, which is to be filled. */
  readonly http: string
  readonly websocket: string
}

/**
 * Reads what the build has made.
 *
 * @throws BootError `bad_option` when it does not exist: in a repository without a build, or in an app that is bundled into another folder.
 */
export function readPages(folder: () => URL = pageFolder): BuiltPages {
  let root: URL | null = null
  try {
    root = folder()
    return readFrom(root)
  } catch (error) {
    const place = root === null ? 'beside the bundle of the app' : `in ${fileURLToPath(root)}`
    throw new BootError(
      'bad_option',
      `openapi(): the pages are not ${place}: in the repository run "node packages/plugin-openapi/build-pages.mjs", beside a bundle of the app copy the folder "pages" of @twinwire/plugin-openapi there, or set paths.docs to false`,
      { cause: error },
    )
  }
}

function readFrom(root: URL): BuiltPages {
  return {
    root,
    assets: new Map(folders.flatMap((folder) => listAssets(root, folder))),
    http: readFileSync(new URL('http/index.html', root), 'utf8'),
    websocket: readFileSync(new URL('websocket/index.html', root), 'utf8'),
  }
}

function listAssets(root: URL, folder: string): readonly (readonly [name: string, file: string])[] {
  const entries = readdirSync(new URL(`${folder}/`, root), { withFileTypes: true })
  // What begins with a dot is of a build that runs, and a page is served with its addresses filled in.
  const files = entries.filter((entry) => entry.isFile() && !/^\.|\.(?:html|br|gz)$/.test(entry.name))
  return files.map(({ name }) => [`${folder}/${name}`, fileURLToPath(new URL(`${folder}/${name}`, root))])
}
