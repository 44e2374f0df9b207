import { type Access, type AnyEndpoint, check, guard, NotFoundError, staticFiles } from '@twinwire/core'
import type { AppContract } from '@twinwire/core/plugin'
import type { ServedDocuments } from '../served-documents.ts'
import type { ApiServer } from '../shared/info.ts'
import { readPages } from './built-pages.ts'
import { toPageHeaders } from './page-headers.ts'
import { fillPage } from './page-text.ts'

export interface PageOptions {
  /** Of the page about the HTTP side; all others are below it. */
  readonly docs: `/${string}`
  readonly openapi: string
  readonly asyncapi: string
  readonly servers: readonly ApiServer[]
  /** They are on the port of the app, so that its routes can be tried. */
  readonly besideApp: boolean
}

/** The pages of an app, and what they load. */
export interface Pages {
  readonly list: ReadonlyArray<{ readonly path: `/${string}`; readonly summary: string }>
  /** The prefix of their files. */
  readonly path: `/${string}`
  /** Of the pages and of their files. */
  readonly headers: Readonly<Record<string, string>>
  /** Adds the text of each page. */
  write(app: AppContract, documents: ServedDocuments): void
  /** Serves the files. */
  files(access: Access): AnyEndpoint
  /** The file at a path. */
  asset(path: string): string | undefined
}

/** @throws BootError as `readPages` */
export function createPages({ docs, openapi, asyncapi, servers, besideApp }: PageOptions): Pages {
  const { root, assets, ...html } = readPages()
  const headers = toPageHeaders(servers)
  const websocket = `${docs}/websocket` as const
  return {
    list: [
      { path: docs, summary: 'The HTTP side of this app, to read and to try' },
      { path: websocket, summary: 'The WebSocket of this app, to read' },
    ],
    path: docs,
    headers,
    write(app, documents) {
      const hasPackages = app.events.length > 0 || app.routes.some(({ pkgId }) => pkgId !== null)
      const links = {
        openapi,
        asyncapi,
        http: docs,
        websocket: hasPackages ? websocket : null,
        root: besideApp ? '/' : null,
      }
      const ofPage = { ...headers, 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' }
      documents.set(docs, { body: fillPage(html.http, docs, `${docs}/http`, links), headers: ofPage })
      documents.set(websocket, { body: fillPage(html.websocket, websocket, websocket, links), headers: ofPage })
    },
    files: (access) =>
      staticFiles({
        summary: 'What the pages about this app load',
        root,
        prefix: docs,
        access,
        index: false,
        use: [
          guard({
            name: 'openapi.pageHeaders',
            run: ({ replyHeaders }) => {
              for (const [name, value] of Object.entries(headers)) replyHeaders.set(name, value)
            },
          }),
          check({
            name: 'openapi.pageFile',
            run: (name: string) => {
              if (!assets.has(name)) throw new NotFoundError()
            },
          }),
        ],
      }),
    asset: (path) => (path.startsWith(`${docs}/`) ? assets.get(path.slice(docs.length + 1)) : undefined),
  }
}
