import { SchemaComponents } from '../schemas/components.ts'
import type { SchemaDocument } from '../schemas/json-schema.ts'
import type { Json } from '../schemas/node.ts'

const channel = '#/channels/websocket'

export const uuid: Json = { type: 'string', format: 'uuid' }

/** What a message says besides its payload. */
export interface MessageFacts {
  readonly summary?: string
  /** `req_id` of packages, `id` of control frames; null for a message that answers nothing. */
  readonly correlation: 'reqId' | 'frameId' | null
  readonly facts?: Json
}

/** The messages of the channel, each once. */
export class Messages {
  readonly components: SchemaComponents = new SchemaComponents()
  readonly #messages = new Map<string, Json>()

  /** Returns a reference to it, for operations. */
  add(name: string, payload: Json, { summary = '', correlation, facts = {} }: MessageFacts): Json {
    this.#messages.set(name, {
      name,
      ...(summary !== '' && { summary }),
      contentType: 'application/json',
      payload: this.components.add({ schema: payload, definitions: {} }, name),
      ...(correlation !== null && { correlationId: { $ref: `#/components/correlationIds/${correlation}` } }),
      ...facts,
    })
    return { $ref: `${channel}/messages/${name}` }
  }

  schema(document: SchemaDocument, hint: string): Json {
    return this.components.add(document, hint)
  }

  /** Of the channel. */
  references(): Json {
    return Object.fromEntries(
      [...this.#messages.keys()].map((name) => [name, { $ref: `#/components/messages/${name}` }]),
    )
  }

  toJson(): Json {
    return Object.fromEntries(this.#messages)
  }
}

/** An operation of the app: it receives, or sends. */
export function toOperation(
  action: 'receive' | 'send',
  messages: readonly Json[],
  reply: readonly Json[],
  facts: Json,
): Json {
  return {
    action,
    channel: { $ref: channel },
    messages,
    ...(reply.length > 0 && { reply: { channel: { $ref: channel }, messages: reply } }),
    ...facts,
  }
}

/** An object with these properties, all of which it has, except the optional ones. */
export function toObject(properties: Json, optional: readonly string[] = []): Json {
  return { type: 'object', required: Object.keys(properties).filter((key) => !optional.includes(key)), properties }
}
