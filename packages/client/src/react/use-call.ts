import { useCallback, useEffect, useRef, useState } from 'react'
import { CallError } from '../call-error.ts'
import { inputKey } from './input-key.ts'
import type { LooseClient } from './loose-client.ts'
import type { CallResult, UseCallOptions } from './react-types.ts'
import { useLatest } from './use-latest.ts'

/** What is known of one input. */
interface CallState {
  readonly client: LooseClient
  readonly key: string
  readonly isFetching: boolean
  readonly answer: { readonly data: unknown } | null
  readonly error: { readonly cause: unknown } | null
  /** The last answer to an earlier input. */
  readonly previous: { readonly data: unknown } | null
}

export function useCallOf(
  client: LooseClient,
  name: string,
  input: unknown,
  { enabled = true, keepPrevious = false, timeoutMs, wire }: UseCallOptions,
): CallResult<unknown> {
  const key = inputKey([name, input, wire])
  const [state, setState] = useState<CallState | null>(null)
  const latest = useLatest({ client, key, name, input, timeoutMs, wire })
  const running = useRef<AbortController | null>(null)

  const refetch = useCallback(() => {
    const { timeoutMs, wire, ...call } = latest.current
    const controller = new AbortController()
    const { signal } = controller
    running.current?.abort()
    running.current = controller
    const set = (change: Partial<CallState>): void =>
      setState((last) => ({ ...startOf(call.client, call.key, last), ...change }))
    const options = { signal, ...(timeoutMs !== undefined && { timeoutMs }), ...(wire !== undefined && { wire }) }
    set({ isFetching: true })
    // Later in this task: strict mode runs each effect twice, and the first one has been aborted by then.
    queueMicrotask(() => {
      if (signal.aborted) return
      call.client.call(call.name, call.input, options).then(
        (data) => signal.aborted || set({ isFetching: false, answer: { data }, error: null }),
        (cause: unknown) => signal.aborted || set({ isFetching: false, error: { cause } }),
      )
    })
  }, [latest])

  // biome-ignore lint/correctness/useExhaustiveDependencies: another client or another key is another call
  useEffect(() => {
    if (enabled) refetch()
    else setState((last) => (last?.isFetching === true ? { ...last, isFetching: false } : last))
    return () => running.current?.abort()
  }, [client, key, enabled, refetch])

  const isOfThisInput = state !== null && state.client === client && state.key === key
  const { isFetching, answer, error, previous } = isOfThisInput ? state : startOf(client, key, state, enabled)
  const common = { isFetching, isPrevious: false, refetch }
  if (error !== null) {
    const { cause } = error
    if (!(cause instanceof CallError)) throw cause
    return { ...common, status: 'error', data: answer?.data, error: cause }
  }
  if (answer !== null) return { ...common, status: 'success', data: answer.data, error: null }
  if (keepPrevious && previous !== null)
    return { ...common, isPrevious: true, status: 'success', data: previous.data, error: null }
  return { ...common, status: isFetching ? 'loading' : 'idle', data: undefined, error: null }
}

/** The state of an input before its call, or as it is. */
function startOf(client: LooseClient, key: string, last: CallState | null, isFetching = false): CallState {
  if (last?.client === client && last.key === key) return last
  // Another client may be that of another user.
  const previous = last?.client === client ? (last.answer ?? last.previous) : null
  return { client, key, isFetching, answer: null, error: null, previous }
}
