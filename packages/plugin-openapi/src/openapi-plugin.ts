import { type Plugin, reply, route } from '@twinwire/core'
import { type AccessOnApp, addGuardedEndpoint, describeEndpointAccess, type PluginHost } from '@twinwire/core/plugin'
import { createAsyncApiDocument } from './asyncapi/asyncapi-document.ts'
import { createOpenApiDocument } from './openapi/openapi-document.ts'
import { names, type OpenApiOptions, type ResolvedOpenApiOptions, resolveOpenApiOptions } from './options.ts'
import { createSchemaConverter } from './schemas/json-schema.ts'
import type { ServedDocuments } from './served-documents.ts'

/**
 * Describes the app: its HTTP side as OpenAPI 3.1 at `GET /openapi.json`, its WebSocket as AsyncAPI 3.0 at `GET /asyncapi.json`. Both are made
 * once, when the app starts, of what its routes, events and plugins declare. Schemas of valibot require `@valibot/to-json-schema`; those of other
 * vendors are described if they have `~standard.jsonSchema`. What cannot be described is an unknown value, with a warning in the log.
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
        return {
          level: 'ok',
          message: `${paths.openapi} and ${paths.asyncapi} are served ${describeEndpointAccess(access)}`,
        }
      })
    },
    async setup(host) {
      const resolved = resolveOpenApiOptions(options, host.environment)
      const documents: ServedDocuments = new Map()
      host.onReady(() => writeDocuments(host, resolved, documents))
      serve(host, resolved, documents)
    },
  }
}

async function writeDocuments(
  host: PluginHost,
  { document, paths }: ResolvedOpenApiOptions,
  documents: ServedDocuments,
): Promise<void> {
  const app = host.describe()
  const converter = await createSchemaConverter((message) => host.log.warn(message))
  documents.set(paths.openapi, JSON.stringify(createOpenApiDocument(app, converter, document)))
  documents.set(paths.asyncapi, JSON.stringify(createAsyncApiDocument(app, converter, document)))
}

function serve(host: PluginHost, { paths, access }: ResolvedOpenApiOptions, documents: ServedDocuments): void {
  if (access !== 'public' && 'port' in access) return serveOnPort(host, access, documents)
  serveOnApp(host, paths.openapi, access, 'The HTTP side of this app as OpenAPI 3.1', documents)
  serveOnApp(host, paths.asyncapi, access, 'The WebSocket of this app as AsyncAPI 3.0', documents)
}

function serveOnApp(
  host: PluginHost,
  path: `/${string}`,
  access: AccessOnApp,
  summary: string,
  documents: ServedDocuments,
): void {
  addGuardedEndpoint(host, path, access, names, (ofRoute) =>
    route({
      summary,
      http: `GET ${path}`,
      access: ofRoute,
      handler: () =>
        reply.text(documents.get(path) ?? '', {
          headers: { 'content-type': 'application/json', 'cache-control': 'no-cache' },
        }),
    }),
  )
}

function serveOnPort(
  host: PluginHost,
  { port, host: address = '127.0.0.1' }: { readonly port: number; readonly host?: string | undefined },
  documents: ServedDocuments,
): void {
  // All workers of a cluster have the same documents.
  if (host.worker !== null && host.worker.id !== 1) return
  const { clock, log } = host
  let closing = async (): Promise<void> => {}
  host.onReady(async () => {
    const { startDocumentServer } = await import('./document-server.ts')
    const server = await startDocumentServer({ host: address, port, documents, clock })
    closing = () => server.close()
    const name = address.includes(':') ? `[${address}]` : address
    log.info({ url: `http://${name}:${server.port}` }, 'Serving the descriptions of the app')
  })
  host.onClose(() => closing())
}
