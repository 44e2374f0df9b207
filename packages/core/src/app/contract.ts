import type { AnySchema } from '../base/schema.ts'
import { isStreamSchema } from '../call/item-stream.ts'
import { isPageSchema } from '../call/reply.ts'
import type { AppContract, RequestContract, RouteContract } from '../plugin/contract.ts'
import type { PluginRegistry } from '../plugin/plugin-host.ts'
import { jsonCodec } from '../protocol/json-codec.ts'
import { type DescribedRoute, toDescription, toSteps } from '../route/describe.ts'
import { hasBody } from '../route/route-definition.ts'
import type { AppEvents } from './app-events.ts'
import type { ResolvedOptions } from './resolve-options.ts'

/** What the app serves, for the plugins that describe it. */
export function createContract(
  routes: readonly DescribedRoute[],
  events: AppEvents,
  registry: PluginRegistry,
  options: ResolvedOptions,
): AppContract {
  const { path, maxMessageBytes, maxInFlight, maxTopics } = options.websocket
  const { codecs = [jsonCodec] } = options.given
  const { handshake, identity } = registry
  const credentialCookies = [...(identity?.credentialCookies ?? []), ...(handshake?.credentials.cookies ?? [])]
  const scheme = credentialCookies.length === 0 ? 'Bearer' : null
  return {
    routes: routes.map(toRouteContract),
    events: events.contracts(),
    topics: registry.topics.all.map(({ pattern, subscribe, history, resume, presence, slow, guarded }) => {
      return { pattern, subscribe, history, resume, presence, slow, steps: toSteps(guarded?.use ?? []) }
    }),
    errors: options.errors.map(({ code, row }) => ({ code, ...row })),
    websocket: {
      path,
      maxMessageBytes,
      maxInFlight,
      maxTopics,
      codecs: codecs.map(({ name }) => name),
      handshake: handshake === null ? null : { type: handshake.type, timeoutMs: handshake.timeoutMs },
      controlFrames: [...registry.controls.keys()],
    },
    unknownKeys: options.unknownKeys,
    challenge: identity === null ? null : (identity.missing().headers?.['www-authenticate'] ?? scheme),
    credentialCookies: [...new Set(credentialCookies)],
  }
}

function toRouteContract(route: DescribedRoute): RouteContract {
  const { definition, identity, servesWhileDraining } = route
  return {
    ...toDescription(route),
    input: definition.input,
    output: definition.output === null ? null : toItem(definition.output),
    declaredErrors: definition.errors.map(({ code, row }) => ({ code, ...row })),
    identity,
    request: toRequestContract(route),
    servesWhileDraining,
  }
}

function toItem(output: AnySchema): AnySchema {
  if (isPageSchema(output)) return output.item
  return isStreamSchema(output) ? output.each : output
}

function toRequestContract({
  info: { method, path },
  definition,
  http: compiled,
}: DescribedRoute): RequestContract | null {
  const { http } = definition
  if (method === null || path === null || http === null || compiled === null) return null
  const { raw, isFetch, maxBodyBytes, streamed, multipart, status, contentType } = compiled
  return {
    method,
    path,
    hasBody: hasBody(http),
    query: http.query ?? [],
    params: http.params ?? {},
    map: http.input ?? null,
    servesFiles: definition.files !== null,
    raw,
    isFetch,
    maxBodyBytes,
    streamed,
    multipart,
    status,
    contentType,
  }
}
