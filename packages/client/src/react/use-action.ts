import { useCallback, useEffect, useRef, useState } from 'react'
import { CallError } from '../call-error.ts'
import type { LooseClient } from './loose-client.ts'
import type { ActionResult, UseActionOptions } from './react-types.ts'
import { useLatest } from './use-latest.ts'

type ActionState =
  | { readonly status: 'idle' | 'running' }
  | { readonly status: 'success'; readonly data: unknown }
  | { readonly status: 'error'; readonly cause: unknown }

const idle: ActionState = { status: 'idle' }

export function useActionOf(
  client: LooseClient,
  name: string,
  { timeoutMs, wire }: UseActionOptions,
): ActionResult<unknown, [input?: unknown]> {
  const [state, setState] = useState(idle)
  const latest = useLatest({ client, name, timeoutMs, wire })
  /** Counts the runs: an earlier one is not shown any more. */
  const current = useRef(0)

  useEffect(
    () => () => {
      current.current += 1
    },
    [],
  )

  const runAsync = useCallback(
    async (input?: unknown) => {
      const { client, name, timeoutMs, wire } = latest.current
      current.current += 1
      const own = current.current
      const show = (next: ActionState): void => {
        if (own === current.current) setState(next)
      }
      show({ status: 'running' })
      try {
        const options = { ...(timeoutMs !== undefined && { timeoutMs }), ...(wire !== undefined && { wire }) }
        const data = await client.call(name, input, options)
        show({ status: 'success', data })
        return data
      } catch (cause) {
        show({ status: 'error', cause })
        throw cause
      }
    },
    [latest],
  )
  const run = useCallback(
    (input?: unknown) => {
      // It is shown, or goes to the error boundary.
      runAsync(input).catch(() => {})
    },
    [runAsync],
  )
  const reset = useCallback(() => {
    current.current += 1
    setState(idle)
  }, [])

  const common = { run, runAsync, reset }
  if (state.status === 'success') return { ...common, status: 'success', data: state.data, error: null }
  if (state.status !== 'error') return { ...common, status: state.status, data: undefined, error: null }
  if (!(state.cause instanceof CallError)) throw state.cause
  return { ...common, status: 'error', data: undefined, error: state.cause }
}
