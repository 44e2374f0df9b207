import type { AnswerOf, ReceivedData } from '@twinwire/core'
import type { FunctionComponent, ReactNode } from 'react'
import type { CallError } from '../call-error.ts'
import type {
  AnyApp,
  CallArguments,
  Client,
  EventName,
  EventsOf,
  RouteName,
  RoutesOf,
  SubscribeOptions,
} from '../client-types.ts'
import type { ConnectionState } from '../connection.ts'
import type { Position } from '../position.ts'
import type { EventMeta } from '../subscriptions.ts'

type Wire = 'ws' | 'http'

/** What a route takes, and options behind it. An input that may be left out is `undefined` before options. */
export type InputThen<A extends AnyApp, Name extends RouteName<A>, W, Options> =
  CallArguments<A, Name, W> extends readonly [unknown, unknown?]
    ? [input: CallArguments<A, Name, W>[0], options?: Options]
    : [input?: CallArguments<A, Name, W>[0], options?: Options]

export interface UseCallOptions<W = Wire> {
  /** False: it runs by `refetch()` alone. Default true. */
  readonly enabled?: boolean
  /** Show the answer to the earlier input until that to the new one is there. Default false. */
  readonly keepPrevious?: boolean
  /** Default: that of the client. */
  readonly timeoutMs?: number
  /** Default: that of the client. */
  readonly wire?: W
}

/** The state of a call that reads. `data` belongs to the input of this render, unless `isPrevious`. */
export type CallResult<T> = {
  /** A call is under way, the first one or another one. */
  readonly isFetching: boolean
  /** `data` is the answer to an earlier input: see `keepPrevious`. */
  readonly isPrevious: boolean
  /** Runs it again, also where it is not enabled. A call that is under way is aborted. */
  readonly refetch: () => void
} & (
  | { readonly status: 'idle' | 'loading'; readonly data: undefined; readonly error: null }
  | { readonly status: 'success'; readonly data: T; readonly error: null }
  /** `data`: the last answer to this input. */
  | { readonly status: 'error'; readonly data: T | undefined; readonly error: CallError }
)

export interface UseActionOptions<W = Wire> {
  /** Default: that of the client. */
  readonly timeoutMs?: number
  /** Default: that of the client. */
  readonly wire?: W
}

/** The state of the last call of an action. */
export type ActionResult<T, Input extends readonly unknown[]> = {
  /** Calls the route. Its error is in `error`, and rejects nothing. */
  readonly run: (...input: Input) => void
  /** Calls the route. Rejects with its {@link CallError}, which is in `error` too. */
  readonly runAsync: (...input: Input) => Promise<T>
  /** Back to `idle`. What is under way goes on, and is not shown. */
  readonly reset: () => void
} & (
  | { readonly status: 'idle' | 'running'; readonly data: undefined; readonly error: null }
  | { readonly status: 'success'; readonly data: T; readonly error: null }
  | { readonly status: 'error'; readonly data: undefined; readonly error: CallError }
)

export type SubscriptionResult = {
  /** The position after the last event that was delivered, read now. For `since`, not for rendering: it changes without a render. */
  readonly getPosition: () => Position | null
  /** Subscribes again, such as after `ended`. */
  readonly resubscribe: () => void
} & (
  | { readonly status: 'idle' | 'joining'; readonly recovered: false; readonly error: null }
  /** `recovered`: every event since the position `since` was delivered. */
  | { readonly status: 'joined'; readonly recovered: boolean; readonly error: null }
  | { readonly status: 'ended'; readonly recovered: false; readonly error: CallError }
)

export interface Hooks<A extends AnyApp> {
  /** Gives the client to the hooks below it. It neither connects nor closes it. Another `key` for each user starts all hooks anew. */
  readonly TwinwireProvider: FunctionComponent<{ readonly client: Client<A>; readonly children?: ReactNode }>
  /** The client of the provider. @throws Error without a provider */
  readonly useClient: () => Client<A>
  /**
   * Calls a route that reads, and again when the name or the input changes by value; the earlier call is aborted. For what changes something:
   * `useAction`. An error other than a {@link CallError}, such as an unknown name, goes to the error boundary.
   *
   * @example
   * const authors = useCall('GET_AUTHORS', { name })
   * if (authors.status === 'success') show(authors.data)
   */
  readonly useCall: <Name extends RouteName<A>, W extends Wire = 'ws'>(
    name: Name,
    ...args: InputThen<A, Name, W, UseCallOptions<W>>
  ) => CallResult<AnswerOf<RoutesOf<A>[Name]>>
  /**
   * Calls a route when you say so. It is not aborted when the component is removed: the server may have executed it already.
   *
   * @example
   * const create = useAction('CREATE_AUTHOR')
   * create.run({ name: 'Ursula' })
   */
  readonly useAction: <Name extends RouteName<A>, W extends Wire = 'ws'>(
    name: Name,
    options?: UseActionOptions<W>,
  ) => ActionResult<AnswerOf<RoutesOf<A>[Name]>, ActionInput<A, Name, W>>
  /** Listens to an event, whichever way it came. The listener of the last render is called. */
  readonly useEvent: <Name extends EventName<A>>(
    event: Name,
    listener: (data: ReceivedData<EventsOf<A>[Name]>, meta: EventMeta) => void,
  ) => void
  /**
   * Subscribes to a topic while the component is there; `null`: to none. The listeners of the last render are called. Several components of one
   * topic share one subscription at the server.
   *
   * @example
   * const authors = useCall('GET_AUTHORS')
   * useSubscription('authors', { onEvent: authors.refetch, onGap: authors.refetch })
   */
  readonly useSubscription: (topic: string | null, options?: SubscribeOptions<A>) => SubscriptionResult
  /** The state of the connection. On a server, and while a page is hydrated: `idle`. */
  readonly useConnectionState: () => ConnectionState
}

type ActionInput<A extends AnyApp, Name extends RouteName<A>, W> =
  CallArguments<A, Name, W> extends readonly [unknown, unknown?]
    ? [input: CallArguments<A, Name, W>[0]]
    : [input?: CallArguments<A, Name, W>[0]]
