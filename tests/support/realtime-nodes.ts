import { setTimeout } from 'node:timers/promises'
import { systemClock } from '@twinwire/core/plugin'
import type { Broker, Position } from '@twinwire/core/transport'
import { ModelConnection, ModelNode, streamOf } from '../../packages/core/src/hub/network/model-node.fixtures.ts'
import { type Seen, StreamView, type Truth } from '../../packages/core/src/hub/network/order-checker.fixtures.ts'

/** Nodes of one app, without sockets, and all that their connections received. */
export interface RealtimeNodes {
  readonly nodes: ModelNode[]
  /** Every connection that there was. */
  readonly connections: ModelConnection[]
  start(broker: Broker): Promise<ModelNode>
  connect(node: ModelNode): ModelConnection
  /** Resolves with what the client was answered. */
  subscribe(
    connection: ModelConnection,
    stream: string,
    since: Position | null,
  ): Promise<{ readonly position: Position | null; readonly recovered: boolean }>
  leave(connection: ModelConnection, stream: string): void
  /** Publishes the next number. Rejects when the broker did not take it. */
  publish(node: ModelNode, stream: string): Promise<number>
  /** Throws at the first event that is missing, or came twice, or too early. */
  check(): void
  close(): Promise<void>
}

export function createRealtimeNodes(): RealtimeNodes {
  const nodes: ModelNode[] = []
  const connections: ModelConnection[] = []
  const nodeOf = new Map<ModelConnection, ModelNode>()
  const published = new Map<number, { readonly stream: string; readonly position: Position | null }>()
  let lastNumber = 0
  let lastRequest = 0
  return {
    nodes,
    connections,
    async start(broker) {
      const node = new ModelNode(broker, systemClock)
      nodes.push(node)
      await node.start()
      return node
    },
    connect(node) {
      const connection = new ModelConnection(node, 'ann', () => null)
      connections.push(connection)
      nodeOf.set(connection, node)
      node.connections.add(connection)
      node.hub.add(connection)
      for (const name of ['@me', '@all']) {
        const stream = connection.keyOf(name)
        connection.note({ kind: 'joining', stream })
        connection.note({ kind: 'joined', stream, position: null })
      }
      return connection
    },
    subscribe(connection, stream, since) {
      const request = ++lastRequest
      connection.note({ kind: 'asked', stream, request, since })
      const node = nodeOf.get(connection)
      return new Promise((resolve, reject) => {
        const rule = { history: undefined, resume: true }
        const answer = ({ position, recovered }: { position: Position | null; recovered: boolean }): void => {
          connection.note({ kind: 'answer', stream, request, position, recovered, head: null })
          resolve({ position, recovered })
        }
        const failed = (error: unknown): void => {
          connection.note({ kind: 'failed', stream, request })
          reject(error)
        }
        Promise.resolve(node?.hub.subscribe(connection, streamOf(stream), rule, since, answer)).then(
          // One that has closed meanwhile is not answered.
          () => reject(new Error('closed')),
          failed,
        )
      })
    },
    leave(connection, stream) {
      nodeOf.get(connection)?.hub.leaveStream(connection, streamOf(stream))
      connection.note({ kind: 'left', stream })
    },
    async publish(node, stream) {
      const n = ++lastNumber
      const publication = { audience: streamOf(stream), pkgId: 1, data: { n, stream }, cause: null }
      published.set(n, { stream, position: await node.broker.publish(publication, undefined, null) })
      return n
    },
    check() {
      const places = new Map(published)
      // One whose publisher was not told is where its receivers saw it.
      for (const { seen } of connections)
        for (const each of seen)
          if (each.kind === 'event' && !places.has(each.n))
            places.set(each.n, { stream: each.stream, position: each.meta })
      const truth: Truth = {
        place: (n) => {
          const known = places.get(n)
          return known === undefined ? null : { ...known, index: n }
        },
      }
      for (const connection of connections) checkOne(connection, truth)
    },
    async close() {
      for (const { hub } of nodes) await hub.close()
    },
  }
}

function checkOne({ id, seen }: ModelConnection, truth: Truth): void {
  const views = new Map<string, StreamView>()
  for (const [i, each] of seen.entries()) {
    const view = views.get(each.stream) ?? new StreamView(truth, each.stream.startsWith(':'))
    views.set(each.stream, view)
    try {
      view.see(each)
    } catch (error) {
      const before = seen.slice(Math.max(i - 8, 0), i + 3).map((one) => JSON.stringify(one))
      throw new Error(`${id}: ${error}\n${before.join('\n')}`)
    }
  }
}

export function eventsOf({ seen }: ModelConnection, stream: string): readonly number[] {
  return seen.flatMap((each: Seen) => (each.kind === 'event' && each.stream === stream ? [each.n] : []))
}
export function gapsOf({ seen }: ModelConnection, stream: string): number {
  return seen.filter((each) => each.kind === 'gap' && each.stream === stream).length
}
/** The last position that the client knows. */
export function positionOf({ seen }: ModelConnection, stream: string): Position | null {
  for (const each of [...seen].reverse()) {
    if (each.stream !== stream) continue
    if (each.kind === 'event') return each.meta
    if (each.kind === 'answer' || each.kind === 'gap') return each.position
  }
  return null
}

/** However long the machine needs. */
export async function eventually(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 40_000,
): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`never came true: ${what}`)
    await setTimeout(10)
  }
}
