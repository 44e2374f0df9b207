/**
 * Hooks of the client for React.
 *
 * @packageDocumentation
 */
import {
  type Context,
  createContext,
  createElement,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useSyncExternalStore,
} from 'react'
import type { AnyApp, SubscribeOptions } from './client-types.ts'
import type { ConnectionState } from './connection.ts'
import type { LooseClient } from './react/loose-client.ts'
import type { Hooks, UseActionOptions, UseCallOptions } from './react/react-types.ts'
import { useActionOf } from './react/use-action.ts'
import { useCallOf } from './react/use-call.ts'
import { useLatest } from './react/use-latest.ts'
import { useSubscriptionOf } from './react/use-subscription.ts'
import type { EventMeta } from './subscriptions.ts'

export type {
  ActionResult,
  CallResult,
  Hooks,
  InputThen,
  SubscriptionResult,
  UseActionOptions,
  UseCallOptions,
} from './react/react-types.ts'

/**
 * Creates the hooks of an app, and their provider. For React 18 and 19.
 *
 * @example
 * import type { app } from '../server/app.ts'
 *
 * export const { TwinwireProvider, useCall, useAction, useEvent, useSubscription, useConnectionState } = createHooks<typeof app>()
 */
export function createHooks<A extends AnyApp>(): Hooks<A>
// The names, inputs and outputs of `A` are types alone.
export function createHooks(): object {
  // Its own: a page may have the clients of two apps.
  const OfThisApp = createContext<LooseClient | null>(null)
  const useClient = (): LooseClient => useClientOf(OfThisApp)
  return {
    TwinwireProvider: ({ client, children }: { readonly client: LooseClient; readonly children?: ReactNode }) =>
      createElement(OfThisApp.Provider, { value: client }, children),
    useClient,
    useCall: (name: string, input?: unknown, options: UseCallOptions = {}) =>
      useCallOf(useClient(), name, input, options),
    useAction: (name: string, options: UseActionOptions = {}) => useActionOf(useClient(), name, options),
    useEvent: (event: string, listener: (data: unknown, meta: EventMeta) => void) => {
      const client = useClient()
      const latest = useLatest(listener)
      useEffect(() => client.on(event, (data, meta) => latest.current(data, meta)), [client, event, latest])
    },
    useSubscription: (topic: string | null, options: SubscribeOptions<AnyApp> = {}) =>
      useSubscriptionOf(useClient(), topic, options),
    useConnectionState: () => {
      const client = useClient()
      const listen = useCallback((changed: () => void) => client.onState(changed), [client])
      return useSyncExternalStore(
        listen,
        () => client.state,
        () => onServer,
      )
    },
  }
}

function useClientOf(context: Context<LooseClient | null>): LooseClient {
  const client = useContext(context)
  if (client === null)
    throw new Error('There is no client here: put <TwinwireProvider client={client}> around this component')
  return client
}

/** A page is rendered without a connection. */
const onServer: ConnectionState = { status: 'idle', identity: null, attempt: 0, retryAt: null, closure: null }
