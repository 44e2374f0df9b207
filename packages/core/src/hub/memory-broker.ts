import { option } from '../base/option.ts'
import { checkOptions } from '../base/options.ts'
import type { Publication } from '../call/publication.ts'
import type {
  Broker,
  BrokerNode,
  ControlMessage,
  HistoryLimits,
  HistoryPage,
  Member,
  MemberPage,
  NodeInfo,
  Position,
  Stream,
  StreamHistory,
} from './broker.ts'
import { MemoryHistory } from './memory-history.ts'

export interface MemoryBrokerOptions {
  /**
   * Of streams whose topic declares none: kept from the first subscription of a client on, as long as there is one, and `ttlMs` longer. False:
   * none. Default: 100 publications, 60 s.
   */
  readonly history?: HistoryLimits | false
  /** Bytes of JSON that the data of a publication may have in a stream with history; publishing more throws. Default 1 MiB. */
  readonly maxEntryBytes?: number
}

const historyRules = {
  size: option.integer({ min: 1, max: 100_000, required: true }),
  ttlMs: option.duration({ min: 1, required: true }),
}
const rules = { maxEntryBytes: option.bytes({ min: 1, default: 1024 * 1024 }) }
const defaultHistory: HistoryLimits = { size: 100, ttlMs: 60_000 }
/** Publications whose keys are remembered. */
const maxKeys = 10_000

/**
 * A broker for a single process: answers at once, and delivers before `publish` returns. What it keeps ends with the process.
 *
 * @throws BootError `unknown_option` or `bad_option`
 *
 * @example
 * createApp({ pkgIds, routes, broker: memoryBroker({ history: { size: 500, ttlMs: 300_000 } }) })
 */
export function memoryBroker(options: MemoryBrokerOptions = {}): Broker {
  const { history = defaultHistory, ...others } = options
  const { maxEntryBytes } = checkOptions('memoryBroker()', others, rules)
  const limits = history === false ? false : checkOptions('memoryBroker()', history, historyRules, 'history')
  return new MemoryBroker(limits, maxEntryBytes)
}

class MemoryBroker implements Broker {
  readonly name = 'memory'
  readonly oneProcess = true
  readonly #history: MemoryHistory
  readonly #published = new Map<string, Position | null>()
  readonly #members = new Map<string, Map<string, Member>>()
  #node: BrokerNode | null = null

  constructor(history: HistoryLimits | false, maxEntryBytes: number) {
    this.#history = new MemoryHistory(history, maxEntryBytes)
  }

  start(node: BrokerNode): void {
    this.#node = node
  }

  close(): void {
    this.#node = null
    this.#history.clear()
    this.#members.clear()
    this.#published.clear()
  }

  publish(publication: Publication, history: StreamHistory, key: string | null): Position | null {
    const node = this.#node
    // The app has closed: there are no connections.
    if (node === null) return null
    const known = key === null ? undefined : this.#published.get(key)
    if (known !== undefined) return known
    const kept = this.#history
    const position = kept.mayKeep(history) ? kept.append(publication, history, node.clock.monotonic()) : null
    if (key !== null) this.#remember(key, position)
    node.deliver(publication, position)
    return position
  }

  check(publication: Publication, history: StreamHistory): void {
    this.#history.check(publication, history)
  }

  subscribe(stream: Stream, history: StreamHistory): Position | null {
    return this.#history.subscribe(stream, history, this.#now())
  }
  unsubscribe(stream: Stream): void {
    this.#history.unsubscribe(stream, this.#now())
  }
  history(stream: Stream, history: StreamHistory, since: Position | null, limit: number): HistoryPage | null {
    return this.#history.read(stream, history, since, limit, this.#now())
  }

  join(topic: string, member: Member): void {
    const members = this.#members.get(topic)
    if (members === undefined) this.#members.set(topic, new Map([[member.connection, member]]))
    else members.set(member.connection, member)
    this.#node?.presence({ topic, kind: 'joined', member })
  }

  leave(topic: string, { connection }: Member): void {
    const members = this.#members.get(topic)
    const member = members?.get(connection)
    if (members === undefined || member === undefined) return
    members.delete(connection)
    if (members.size === 0) this.#members.delete(topic)
    this.#node?.presence({ topic, kind: 'left', member })
  }

  presence(topic: string, cursor: string | null, limit: number): MemberPage {
    const ids = [...(this.#members.get(topic)?.keys() ?? [])].sort()
    const after = readCursor(cursor)
    const rest = after === null ? ids : ids.filter((id) => id > after)
    const page = rest.slice(0, limit)
    const members = page.flatMap((id) => this.#members.get(topic)?.get(id) ?? [])
    const last = page.at(-1)
    return { members, cursor: rest.length > limit && last !== undefined ? `${cursorPrefix}${last}` : null }
  }

  control(message: ControlMessage): void {
    this.#node?.control(message)
  }

  /** There is no other node. */
  lease(): boolean {
    return this.#node !== null
  }
  release(): void {}

  nodes(): readonly NodeInfo[] {
    return this.#node === null ? [] : [this.#node.info]
  }

  #remember(key: string, position: Position | null): void {
    this.#published.set(key, position)
    if (this.#published.size <= maxKeys) return
    for (const oldest of this.#published.keys()) {
      this.#published.delete(oldest)
      return
    }
  }

  #now(): number {
    return this.#node?.clock.monotonic() ?? 0
  }
}

const cursorPrefix = 'after:'

/** Null for one that this broker did not make. */
function readCursor(cursor: string | null): string | null {
  return cursor?.startsWith(cursorPrefix) === true ? cursor.slice(cursorPrefix.length) : null
}
