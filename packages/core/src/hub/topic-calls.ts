import { createId } from '../base/unique-id.ts'
import { ActiveCall } from '../call/active-call.ts'
import type { CallConnection } from '../call/call.ts'
import type { CallPeer } from '../call/call-context.ts'
import type { CallServices } from '../call/call-services.ts'
import type { CompiledRoute } from '../call/compiled-route.ts'
import { AppError, UnavailableError } from '../errors/app-error.ts'
import { checkInstalled, compileRoute, type RouteContext, toRouteInfo } from '../route/compile-route.ts'
import { toRouteDefinition } from '../route/route-definition.ts'
import { guard } from '../route/step.ts'
import type { Authorize, GuardedRun } from './compiled-topic.ts'
import type { HubConnection } from './connection.ts'
import type { TopicFields } from './topic-builder.ts'
import type { TopicPattern } from './topic-pattern.ts'

/** Then what the guards hold is released, and the rule has failed. */
export const authorizeDeadlineMs = 10_000

/**
 * Runs the guards of topic rules. Each time a rule is asked that is a call of its own, with the identity of the connection, a deadline and a
 * signal, which neither hooks nor instruments see: what asked the rule is what they count.
 */
export class TopicCalls {
  readonly #context: RouteContext
  readonly #services: CallServices
  readonly #running = new Map<HubConnection, Set<Authorization>>()

  constructor(context: RouteContext, services: CallServices) {
    this.#context = {
      ...context,
      guardsFor: () => [],
      countWebSocket: () => null,
      httpCounter: () => null,
      onInput: null,
      beforeReply: () => null,
      tracer: null,
    }
    const silent = {
      onCall: { value: null },
      onReply: { value: null },
      access: { value: null },
      tracer: { value: null },
    }
    // With the services that change while the app runs.
    this.#services = Object.create(services, silent)
  }

  /** @throws BootError for a guard whose plugin is missing */
  compile(pattern: TopicPattern, guarded: GuardedRun): Authorize {
    const compiled = this.#compile(pattern, guarded)
    return (connection, topic) =>
      new Promise((resolve, reject) => {
        const fields: TopicFields<string> = { topic, params: pattern.read(topic) ?? {} }
        const peer = new Authorization(connection, resolve, reject, () => this.#ended(peer))
        const call = new ActiveCall(compiled, peer, this.#services, createId(), connection.identity, fields)
        peer.call = call
        const running = this.#running.get(connection)
        if (running === undefined) this.#running.set(connection, new Set([peer]))
        else running.add(peer)
        compiled.run(call)
        call.armDeadline()
      })
  }

  /** The connection has closed. */
  abandon(connection: HubConnection): void {
    for (const each of this.#running.get(connection) ?? []) {
      each.call?.abandon('The connection has closed')
      each.reject(new UnavailableError('The connection has closed'))
    }
  }

  #compile({ text }: TopicPattern, { use, run }: GuardedRun): CompiledRoute {
    const name = `topic ${text}`
    checkInstalled(name, use, this.#context.findApi)
    const access = use.some(({ identity }) => identity === 'required') ? 'authenticated' : 'public'
    const definition = toRouteDefinition(
      {
        access,
        deadlineMs: authorizeDeadlineMs,
        use: [addFields, ...use],
        // Its type was checked against the guards where it was written.
        handler: (_input: unknown, call: never) => run(call),
      },
      [],
    )
    return compileRoute(toRouteInfo(name, null, definition, access), definition, this.#context)
  }

  #ended(peer: Authorization): void {
    const running = this.#running.get(peer.asking)
    running?.delete(peer)
    if (running?.size === 0) this.#running.delete(peer.asking)
  }
}

const addFields = guard({
  name: 'topic',
  keepsCall: false,
  run: (call): object => {
    const fields = call instanceof ActiveCall ? call.data : null
    return typeof fields === 'object' && fields !== null ? fields : {}
  },
})

/** The other end of the call: its result decides. */
class Authorization implements CallPeer {
  readonly asking: HubConnection
  readonly reject: (error: AppError) => void
  call: ActiveCall | null = null
  readonly #resolve: (allowed: unknown) => void
  readonly #onEnd: () => void

  constructor(
    asking: HubConnection,
    resolve: (allowed: unknown) => void,
    reject: (error: AppError) => void,
    onEnd: () => void,
  ) {
    this.asking = asking
    this.reject = reject
    this.#resolve = resolve
    this.#onEnd = onEnd
  }

  get wire(): 'ws' {
    return 'ws'
  }
  get address(): string {
    return this.asking.address
  }
  get headers(): CallPeer['headers'] {
    return this.asking.headers
  }
  get query(): CallPeer['query'] {
    return this.asking.query
  }
  get connection(): CallConnection {
    return this.asking
  }
  get traceparent(): string | null {
    return this.asking.traceparent
  }

  readInput(call: ActiveCall, next: (call: ActiveCall, input: unknown) => void): void {
    next(call, undefined)
  }
  succeed(_call: ActiveCall, result: unknown): number {
    this.#resolve(result)
    return 200
  }
  fail(_call: ActiveCall, error: AppError): void {
    const { code, status, httpStatus, retry, message, details } = error
    // Its cause has been logged.
    this.reject(
      error.cause === undefined
        ? error
        : new AppError(code, { status, httpStatus, retry, message }, message, { details }),
    )
  }
  openItems(): never {
    throw new TypeError('authorize of a topic must return true or false')
  }
  ended(): void {
    this.#onEnd()
  }
}
