import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import type { ActiveCall } from '../call/active-call.ts'
import type { CallOutcome } from '../call/call-outcome.ts'
import type { CallServices } from '../call/call-services.ts'
import { bodyEndOf, type Tracer } from '../call/tracer.ts'
import { InternalError } from '../errors/app-error.ts'
import type { PluginRegistry } from '../plugin/plugin-host.ts'

type Registered = Pick<PluginRegistry, 'onCall' | 'onReply' | 'replyHooksReadAddress' | 'tracing'>

/** Without hooks these stay null, which costs a call one comparison. A tracer begins before all hooks, and ends after them. */
export function listenToCalls(registry: Registered, services: CallServices): void {
  const { tracer } = registry.tracing
  services.tracer = tracer
  services.hooksReadAddress = registry.onCall.length > 0 || registry.replyHooksReadAddress
  const failed = (error: unknown): void => services.log.error({ err: error }, 'A hook of a plugin failed')
  // A hook may be an async function, whose rejection must not end the process.
  const settle = (result: unknown): void => {
    if (isPromise(result)) result.then(undefined, failed)
  }
  const onCall = tracer === null ? registry.onCall : [(call: ActiveCall) => tracer.start(call), ...registry.onCall]
  if (onCall.length > 0) {
    services.onCall = (call) => {
      for (const hook of onCall) {
        try {
          settle(hook(call))
        } catch (error) {
          failed(error)
        }
      }
    }
  }
  const onReply = tracer === null ? registry.onReply : [...registry.onReply, toEnd(tracer)]
  if (onReply.length > 0) {
    services.onReply = (call, outcome) => {
      for (const hook of onReply) {
        try {
          settle(hook(call, outcome))
        } catch (error) {
          failed(error)
        }
      }
    }
  }
}

/** The end of a call whose body goes on is that of its body. */
function toEnd(tracer: Tracer): (call: ActiveCall, outcome: CallOutcome) => MaybePromise<void> {
  return (call, outcome) => {
    const body = bodyEndOf(call)
    if (body === undefined) return tracer.end(call, outcome)
    const startedMs = call.services.clock.monotonic()
    return body.then((isWhole) => {
      const durationMs = outcome.durationMs + call.services.clock.monotonic() - startedMs
      // A body that is cut because its client does not take it, or because the app closes, has a reason; else its source has failed.
      const aborted = !isWhole && call.abortReason !== null
      const error = isWhole || aborted ? outcome.error : new InternalError()
      tracer.end(call, { ...outcome, error, aborted, durationMs })
    })
  }
}
