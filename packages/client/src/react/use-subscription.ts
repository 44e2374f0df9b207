import { useCallback, useEffect, useRef, useState } from 'react'
import type { CallError } from '../call-error.ts'
import type { AnyApp, SubscribeOptions, Subscription } from '../client-types.ts'
import type { LooseClient } from './loose-client.ts'
import type { SubscriptionResult } from './react-types.ts'
import { useLatest } from './use-latest.ts'

type Outcome =
  | { readonly status: 'joined'; readonly recovered: boolean; readonly error: null }
  | { readonly status: 'ended'; readonly recovered: false; readonly error: CallError }

interface SubscriptionState {
  readonly client: LooseClient
  readonly topic: string | null
  readonly outcome: Outcome | null
}

export function useSubscriptionOf(
  client: LooseClient,
  topic: string | null,
  options: SubscribeOptions<AnyApp>,
): SubscriptionResult {
  const [state, setState] = useState<SubscriptionState | null>(null)
  const [turn, setTurn] = useState(0)
  const latest = useLatest(options)
  const subscription = useRef<Subscription | null>(null)
  const wantsPresence = options.onPresence !== undefined

  // biome-ignore lint/correctness/useExhaustiveDependencies: each turn is another subscription
  useEffect(() => {
    if (topic === null) return
    let isOver = false
    let own: Subscription | null = null
    const end = (outcome: Outcome | null): void => {
      if (!isOver) setState({ client, topic, outcome })
    }
    end(null)
    // Later in this task: strict mode runs each effect twice, and the server is not to be asked twice.
    queueMicrotask(() => {
      if (isOver) return
      const { since } = latest.current
      own = client.subscribe(topic, {
        ...(since !== undefined && { since }),
        onEvent: (event) => latest.current.onEvent?.(event),
        onGap: () => latest.current.onGap?.(),
        ...(wantsPresence && { onPresence: (change, member) => latest.current.onPresence?.(change, member) }),
        onEnd: (error) => {
          end({ status: 'ended', recovered: false, error })
          latest.current.onEnd?.(error)
        },
      })
      subscription.current = own
      own.ready.then(
        ({ recovered }) => end({ status: 'joined', recovered, error: null }),
        // `onEnd` has been called.
        () => {},
      )
    })
    return () => {
      isOver = true
      own?.unsubscribe()
      if (subscription.current === own) subscription.current = null
    }
  }, [client, topic, wantsPresence, turn, latest])

  const getPosition = useCallback(() => subscription.current?.position ?? null, [])
  const resubscribe = useCallback(() => setTurn((last) => last + 1), [])
  const common = { getPosition, resubscribe }
  const isOfThisTopic = state !== null && state.client === client && state.topic === topic
  if (isOfThisTopic && topic !== null && state.outcome !== null) return { ...common, ...state.outcome }
  return { ...common, status: topic === null ? 'idle' : 'joining', recovered: false, error: null }
}
