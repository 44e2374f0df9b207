import { BootError, type Plugin, reply, route } from '@twinwire/core'
import { type AccessOnApp, addGuardedEndpoint, describeEndpointAccess, type PluginHost } from '@twinwire/core/plugin'
import { createAsyncApiDocument } from './asyncapi/asyncapi-document.ts'
import { createPages, type Pages } from './docs/pages.ts'
import { createOpenApiDocument } from './openapi/openapi-document.ts'
import {
  names,
  type OpenApiAccess,
  type OpenApiOptions,
  type ResolvedOpenApiOptions,
  resolveOpenApiOptions,
} from './options.ts'
import { createSchemaConverter } from './schemas/json-schema.ts'
import type { Json } from './schemas/node.ts'
import type { ServedDocuments } from './served-documents.ts'

/**
 * Describes the app: its HTTP side as OpenAPI 3.1 at `GET /openapi.json`, its WebSocket as AsyncAPI 3.0 at `GET /asyncapi.json`. Both are made
 * once, when the app starts, of what its routes, events and plugins declare. Schemas of valibot require `@valibot/to-json-schema`; those of other
 * vendors are described if they have `~standard.jsonSchema`. What cannot be described is an unknown value, with a warning in the log.
 * `GET /docs` and `GET /docs/websocket` are pages for people; they load nothing from elsewhere.
 *
 * @throws BootError `bad_option`, `unknown_option`, `unavailable_port`, when the app starts.
 *
 * @example
 * openapi({ access: { networks: ['10.0.0.0/8'] }, info: { title: 'Authors', version: '1.4.0' } })
 */
export function openapi(options: OpenApiOptions = {}): Plugin<void> {
  return {
    name: 'openapi',
    doctor(host) {
      host.doctor('openapi', () => {
        const { access, paths } = resolveOpenApiOptions(options, host.environment)
        const { openapi, asyncapi, docs } = paths
        const served = docs === false ? `${openapi} and ${asyncapi}` : `${openapi}, ${asyncapi} and ${docs}`
        return { level: 'ok', message: `${served} are served ${describeEndpointAccess(access)}` }
      })
    },
    async setup(host) {
      const resolved = resolveOpenApiOptions(options, host.environment)
      const pages = toPages(resolved, options.paths?.docs !== undefined, host)
      const documents: ServedDocuments = new Map()
      host.onReady(() => writeDocuments(host, resolved, documents, pages))
      serve(host, resolved, documents, pages)
    },
  }
}

type AccessOnPort = Exclude<OpenApiAccess, AccessOnApp>

/** An app that is bundled without them and did not ask for them still has its documents. */
function toPages(
  { paths, document, access }: ResolvedOpenApiOptions,
  isAsked: boolean,
  { log }: Pick<PluginHost, 'log'>,
): Pages | null {
  const { docs, ...others } = paths
  if (docs === false) return null
  try {
    return createPages({ ...others, docs, servers: document.servers, besideApp: !isOnPort(access) })
  } catch (error) {
    if (isAsked || !(error instanceof BootError)) throw error
    log.warn(`${error.message}. The documents are served without pages`)
    return null
  }
}

function isOnPort(access: OpenApiAccess): access is AccessOnPort {
  return access !== 'public' && 'port' in access
}

async function writeDocuments(
  host: PluginHost,
  { document, paths }: ResolvedOpenApiOptions,
  documents: ServedDocuments,
  pages: Pages | null,
): Promise<void> {
  const app = host.describe()
  const converter = await createSchemaConverter((message) => host.log.warn(message))
  const add = (path: string, document: Json): void =>
    void documents.set(path, { body: JSON.stringify(document), headers: ofDocument })
  add(paths.openapi, createOpenApiDocument(app, converter, document))
  add(paths.asyncapi, createAsyncApiDocument(app, converter, document))
  pages?.write(app, documents)
}

const ofDocument = { 'content-type': 'application/json', 'cache-control': 'no-cache' }

function serve(
  host: PluginHost,
  { paths, access }: ResolvedOpenApiOptions,
  documents: ServedDocuments,
  pages: Pages | null,
): void {
  if (isOnPort(access)) return serveOnPort(host, access, documents, pages)
  const add = (path: `/${string}`, summary: string, contentType: string): void =>
    serveOnApp(host, access, { path, summary, contentType }, documents)
  add(paths.openapi, 'The HTTP side of this app as OpenAPI 3.1', 'application/json')
  add(paths.asyncapi, 'The WebSocket of this app as AsyncAPI 3.0', 'application/json')
  if (pages === null) return
  for (const { path, summary } of pages.list) add(path, summary, 'text/html; charset=utf-8')
  addGuardedEndpoint(host, `${pages.path}/*`, access, names, (ofRoute) => pages.files(ofRoute))
}

function serveOnApp(
  host: PluginHost,
  access: AccessOnApp,
  {
    path,
    summary,
    contentType,
  }: { readonly path: `/${string}`; readonly summary: string; readonly contentType: string },
  documents: ServedDocuments,
): void {
  addGuardedEndpoint(host, path, access, names, (ofRoute) =>
    route({
      summary,
      http: { route: `GET ${path}`, contentType },
      access: ofRoute,
      handler: () => {
        const { body = '', headers = {} } = documents.get(path) ?? {}
        return reply.text(body, { headers })
      },
    }),
  )
}

function serveOnPort(
  host: PluginHost,
  { port, host: address = '127.0.0.1' }: AccessOnPort,
  documents: ServedDocuments,
  pages: Pages | null,
): void {
  // All workers of a cluster have the same documents.
  if (host.worker !== null && host.worker.id !== 1) return
  const { clock, log } = host
  let closing = async (): Promise<void> => {}
  host.onReady(async () => {
    const { startDocumentServer } = await import('./document-server.ts')
    const server = await startDocumentServer({ host: address, port, documents, pages, clock })
    closing = () => server.close()
    const name = address.includes(':') ? `[${address}]` : address
    log.info({ url: `http://${name}:${server.port}` }, 'Serving the descriptions of the app')
  })
  host.onClose(() => closing())
}
