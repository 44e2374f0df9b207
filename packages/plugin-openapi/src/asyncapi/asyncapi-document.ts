import { disconnects } from '@twinwire/core'
import type { AppContract } from '@twinwire/core/plugin'
import type { SchemaConverter } from '../schemas/json-schema.ts'
import type { Json } from '../schemas/node.ts'
import { toErrorTable } from '../shared/errors.ts'
import { toSchemeComponents, toSecuritySchemes } from '../shared/facts.ts'
import type { DocumentInfo } from '../shared/info.ts'
import { OperationNames } from '../shared/names.ts'
import { describeControlFrames } from './control-frames.ts'
import { Messages } from './messages.ts'
import { describeEvent, describeRoute, toReferences } from './packages.ts'

/** The WebSocket side of an app as AsyncAPI 3.0. Schemas are in its default format, a superset of JSON Schema draft-07. */
export function createAsyncApiDocument(app: AppContract, converter: SchemaConverter, info: DocumentInfo): Json {
  const messages = new Messages()
  const names = new OperationNames()
  const frames = describeControlFrames(app, messages)
  const parts = { app, converter, messages }
  const routes = app.routes
    .filter(({ pkgId }) => pkgId !== null)
    .map((route) => {
      const name = names.add(route.name)
      return [name, describeRoute(route, { ...parts, name })] as const
    })
  const events = app.events.map((event) => {
    const name = names.add(event.name)
    return [name, describeEvent(event, { ...parts, name })] as const
  })
  const operations = { ...Object.fromEntries([...routes, ...events]), ...frames }
  const servers = toServers(info, app)
  return {
    asyncapi: '3.0.0',
    info: info.info,
    defaultContentType: 'application/json',
    ...(servers !== null && { servers }),
    channels: { websocket: describeChannel(app, messages) },
    operations,
    components: {
      messages: messages.toJson(),
      schemas: messages.components.toJson(),
      correlationIds: {
        reqId: { description: 'A reply has the `req_id` of its request', location: '$message.payload#/req_id' },
        frameId: { description: 'An answer has the `id` of its frame', location: '$message.payload#/id' },
      },
      ...toSchemeComponents(toSecuritySchemes(app, 'httpApiKey')),
    },
    'x-error-codes': toErrorTable(app),
  }
}

function describeChannel(app: AppContract, messages: Messages): Json {
  const { path, codecs, maxMessageBytes, maxInFlight, maxTopics } = app.websocket
  const format = { type: 'string', enum: codecs, default: codecs[0], description: 'The codec of packages' }
  return {
    address: path,
    description:
      'A package has `pkg_id`, a control frame `type`. A reply has `status_code`, and the `pkg_id` and `req_id` of its request; an event has no `status_code`.',
    messages: messages.references(),
    bindings: { ws: { method: 'GET', query: { type: 'object', properties: { format } }, bindingVersion: '0.1.0' } },
    'x-limits': { max_message_bytes: maxMessageBytes, max_in_flight: maxInFlight, max_topics: maxTopics },
    'x-close-codes': Object.values(disconnects),
    'x-topics': app.topics.map(({ steps, history, ...topic }) => ({
      ...topic,
      ...(history !== undefined && { history }),
      steps: steps.map(({ name, demands }) => ({ name, demands })),
    })),
  }
}

/** The same hosts as those of HTTP. */
function toServers({ servers }: DocumentInfo, app: AppContract): Json | null {
  const security = toReferences(app)
  const entries = servers.map(({ url, description }, i) => {
    const { protocol, host, pathname } = new URL(url)
    const server = {
      host,
      ...(pathname !== '/' && { pathname: pathname.replace(/\/$/, '') }),
      protocol: protocol === 'https:' ? 'wss' : 'ws',
      ...(description !== undefined && { description }),
      ...(security.length > 0 && { security }),
    }
    return [`server${i + 1}`, server]
  })
  return entries.length === 0 ? null : Object.fromEntries(entries)
}
