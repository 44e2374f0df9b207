import { BootError } from '../base/boot-error.ts'
import type { CounterCell } from '../base/cells.ts'
import type { Clock } from '../base/clock.ts'
import { type DropListener, dropSafe } from '../base/drop-safe.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { UnavailableError } from '../errors/app-error.ts'
import { disconnects } from '../errors/disconnect.ts'
import type { Broker, ControlMessage, NodeInfo } from './broker.ts'
import type { HubConnection } from './connection.ts'
import { type ControlEnvelope, isName, readEnvelope, toControlMessage } from './control-messages.ts'
import { ControlSender } from './control-sender.ts'
import { type CloseReason, type DisconnectTarget, readCloseReason, readTarget } from './disconnect-target.ts'

/** What `hub` does on all nodes of the app: at once on this one, and on the others as soon as they receive the message. */
export interface HubControl {
  /**
   * Closes all connections of an identity, of a login session, or one connection, on every node. Default: `disconnects.normal`, after which
   * clients do not reconnect. Tokens stay valid: to end a login, use `revoke` of `@twinwire/plugin-auth`.
   *
   * Resolves when the connections of this node are closed and the broker has the message. A node that is cut off receives it when it is back,
   * within a minute. Rejects with UnavailableError if the broker did not take it, which is then sent again for a minute; and with TypeError for
   * a wrong target or close code.
   *
   * @example
   * await app.hub.disconnect({ identity: user.id }, { code: 4100, reason: 'Account closed' })
   */
  disconnect(target: DisconnectTarget, row?: CloseReason): Promise<void>
  /**
   * Asks `authorize` of the joined topics of all connections of an identity again, on every node, and takes those away that it refuses: call it
   * after you have changed what the identity may do. Resolves when that is done on this node and the broker has the message; rejects as
   * `disconnect` does.
   *
   * @example
   * await members.remove(teamId, userId)
   * await app.hub.refresh(userId)
   */
  refresh(identityId: string): Promise<void>
  /** The nodes that live, this one included. Rejects if the broker does not answer. */
  nodes(): Promise<readonly NodeInfo[]>
}

/** Of a plugin: see `host.onControl`. */
export type PluginControlHandler = (data: unknown) => MaybePromise<void>

interface ControlOptions {
  readonly broker: Broker
  readonly node: NodeInfo
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly rejections: DropListener
}

/** The admitted connections of this node. */
interface ControlledConnections {
  find(target: DisconnectTarget): readonly HubConnection[]
}

/** For nodes that are cut off. */
const keepMs = 60_000
/** By how much clocks of nodes may differ, so that a connection which was opened after the call is spared by a late message, and no other. */
const clockSkewMs = 5000
const maxSeen = 4096
const maxReported = 100
const pluginPrefix = 'plugin:'

/** Messages between the nodes of an app: those of `hub`, and those of plugins. */
export class NodeControl implements HubControl {
  readonly sender: ControlSender
  readonly #options: ControlOptions
  readonly #connections: ControlledConnections
  readonly #plugins = new Map<string, PluginControlHandler[]>()
  /** Ids of messages: a broker may deliver one twice, and a client may have reconnected meanwhile. Oldest first. */
  readonly #seen = new Set<string>()
  /** Types of messages that were ignored: each is logged once. */
  readonly #reported = new Set<string>()
  readonly #received: CounterCell
  readonly #ignored: CounterCell
  #isRunning = false

  constructor(options: ControlOptions, connections: ControlledConnections) {
    this.#options = options
    this.#connections = connections
    const { broker, clock, log, instruments } = options
    const messages = instruments.counter(
      'control_messages_total',
      'Messages between nodes: sent (the broker has it), retried (attempts to send one again), lost (not taken within its time, or when the app closed), received, ignored (unknown or malformed)',
      { outcome: ['sent', 'retried', 'lost', 'received', 'ignored'] },
    )
    this.#received = messages.cell({ outcome: 'received' })
    this.#ignored = messages.cell({ outcome: 'ignored' })
    this.sender = new ControlSender({
      broker,
      clock,
      log,
      sent: messages.cell({ outcome: 'sent' }),
      retried: messages.cell({ outcome: 'retried' }),
      lost: messages.cell({ outcome: 'lost' }),
    })
  }

  start(): void {
    this.#isRunning = true
    this.sender.start()
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#isRunning = false
    this.sender.close()
  }

  disconnect(target: DisconnectTarget, row: CloseReason = disconnects.normal): Promise<void> {
    return this.#promise('hub.disconnect', () => {
      const whose = readTarget(target)
      if (whose === null)
        throw new TypeError('hub.disconnect needs one of { identity }, { connection } or { session }, with an id')
      const how = readCloseReason({ code: row.code, reason: row.reason })
      if (how === null)
        throw new TypeError(
          'hub.disconnect: the code must be 1000, 1008, 1011 to 1013 or 3000 to 4999, and the reason at most 123 bytes',
        )
      this.#close(whose, how, Number.POSITIVE_INFINITY)
      return this.#send('disconnect', { target: whose, ...how })
    })
  }

  refresh(identityId: string): Promise<void> {
    return this.#promise('hub.refresh', async () => {
      if (!isName(identityId)) throw new TypeError('hub.refresh needs the id of an identity')
      const sending = this.#send('refresh', { identity: identityId })
      await Promise.all([this.#refresh(identityId), sending])
    })
  }

  nodes(): Promise<readonly NodeInfo[]> {
    return this.#promise('hub.nodes', () => this.#options.broker.nodes())
  }

  onPlugin(plugin: string, handler: PluginControlHandler): void {
    const handlers = this.#plugins.get(plugin)
    if (handlers === undefined) this.#plugins.set(plugin, [handler])
    else handlers.push(handler)
  }

  /** @param data - JSON. */
  sendOfPlugin(plugin: string, data: unknown, keepMs: number): MaybePromise<boolean> {
    const { node, clock } = this.#options
    return this.sender.send(toControlMessage(`${pluginPrefix}${plugin}`, node.id, clock.now(), { data }), keepMs)
  }

  /** Never throws. */
  receive({ type, data }: ControlMessage): void {
    const envelope = readEnvelope(data)
    if (envelope === null) return this.#ignore(type, 'malformed')
    // This node has applied it when it sent it.
    if (envelope.from === this.#options.node.id || !this.#isFirst(envelope.id)) return
    this.#received.inc()
    if (type === 'disconnect') this.#receiveDisconnect(envelope)
    else if (type === 'refresh') this.#receiveRefresh(envelope)
    else if (type.startsWith(pluginPrefix)) this.#receiveOfPlugin(type, envelope.body)
    else this.#ignore(type, 'of an unknown type')
  }

  #receiveDisconnect({ body, at }: ControlEnvelope): void {
    const target = readTarget(body.target)
    const row = readCloseReason(body)
    if (target === null || row === null) return this.#ignore('disconnect', 'malformed')
    this.#close(target, row, at + clockSkewMs)
  }

  #receiveRefresh({ body: { identity } }: ControlEnvelope): void {
    if (!isName(identity)) return this.#ignore('refresh', 'malformed')
    void this.#refresh(identity)
  }

  #receiveOfPlugin(type: string, { data }: ControlEnvelope['body']): void {
    const plugin = type.slice(pluginPrefix.length)
    const handlers = this.#plugins.get(plugin)
    if (handlers === undefined) return this.#ignore(type, 'of a plugin that does not receive messages here')
    const failed = (error: unknown): void =>
      this.#options.log.error({ err: error, plugin }, 'A plugin failed to handle a control message')
    for (const handle of handlers) {
      try {
        const result = handle(data)
        if (isPromise(result)) result.then(undefined, failed)
      } catch (error) {
        failed(error)
      }
    }
  }

  #close(target: DisconnectTarget, row: CloseReason, connectedUntil: number): void {
    for (const connection of this.#connections.find(target))
      if (connection.connectedAt <= connectedUntil) connection.close(row)
  }

  async #refresh(identity: string): Promise<void> {
    await Promise.all(this.#connections.find({ identity }).map(async (connection) => connection.reauthorize()))
  }

  async #send(type: string, body: object): Promise<void> {
    const { node, clock } = this.#options
    if (await this.sender.send(toControlMessage(type, node.id, clock.now(), body), keepMs)) return
    throw new UnavailableError(
      `hub.${type} was applied on this node, and the broker did not take it for the others: it is sent again for ${keepMs / 1000} s`,
    )
  }

  /** Runs the first part of `work` at once. */
  #promise<T>(name: string, work: () => MaybePromise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      if (!this.#isRunning)
        throw new BootError('wrong_state', `${name} works only while the app runs, from app.ready() to app.close()`)
      return work()
    }
    return dropSafe(run(), name, this.#options.rejections)
  }

  #isFirst(id: string): boolean {
    if (this.#seen.has(id)) return false
    this.#seen.add(id)
    if (this.#seen.size <= maxSeen) return true
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest)
      break
    }
    return true
  }

  #ignore(type: string, what: string): void {
    this.#ignored.inc()
    const name = type.slice(0, 100)
    if (this.#reported.has(name) || this.#reported.size >= maxReported) return
    this.#reported.add(name)
    this.#options.log.warn(
      { type: name },
      `A control message that is ${what} was ignored: does another version of the app run on another node?`,
    )
  }
}
