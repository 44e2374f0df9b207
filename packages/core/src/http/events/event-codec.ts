import type { Position } from '../../hub/broker.ts'
import type { Codec } from '../../protocol/codec.ts'
import type { EventMeta, Frame } from '../../protocol/frame.ts'
import { toJsonEvent } from '../../protocol/server-sent-events.ts'

/** Longer ones are not ours. */
const maxIdLength = 256

/** `<epoch>:<offset>`, for a client without a meaning. */
export function toEventId({ epoch, offset }: Position): string {
  return `${encodeURIComponent(epoch)}:${offset}`
}

/** The position of a `Last-Event-ID`. Null for an id that `toEventId` did not make. */
export function readEventId(id: string): Position | null {
  const [, epoch = '', digits = ''] = id.length <= maxIdLength ? (/^([^:]+):(\d{1,16})$/.exec(id) ?? []) : []
  const offset = Number(digits)
  if (epoch === '' || !Number.isSafeInteger(offset)) return null
  try {
    return { epoch: decodeURIComponent(epoch), offset }
  } catch {
    return null
  }
}

/** A control frame, as an event of its type. That of a gap has the position from which the client goes on. */
export function toControlEvent({
  type,
  ...fields
}: {
  readonly type: string
  readonly [key: string]: unknown
}): string {
  const { epoch, offset } = fields
  const isPlace = type === 'gap' && typeof epoch === 'string' && typeof offset === 'number'
  const id = isPlace ? `id: ${toEventId({ epoch, offset })}\n` : ''
  return `${id}${toJsonEvent(type, JSON.stringify(fields))}`
}

/**
 * Encodes publications for readers of server-sent events: the name of the event, its data, and its position as the id. It decodes nothing,
 * because such a client sends nothing.
 */
export class EventCodec implements Codec {
  readonly name = 'events'
  readonly binary = false
  readonly #nameOf: (pkgId: number) => string

  constructor(nameOf: (pkgId: number) => string) {
    this.#nameOf = nameOf
  }

  encodeEvent(pkgId: number, data: unknown, meta: EventMeta | null): string {
    const { epoch, offset } = meta ?? {}
    const id = epoch === undefined || offset === undefined ? '' : `id: ${toEventId({ epoch, offset })}\n`
    return `${id}event: ${this.#nameOf(pkgId)}\ndata: ${JSON.stringify(data) ?? 'null'}\n\n`
  }

  decode(): Frame {
    throw new TypeError('A reader of server-sent events sends nothing')
  }
  encodeReply(): string {
    throw new TypeError('A reader of server-sent events has no packages')
  }
}
