import { createId } from '../base/unique-id.ts'
import { ActiveCall } from '../call/active-call.ts'
import type { CallInstruments } from '../call/call-instruments.ts'
import type { CallOutcome } from '../call/call-outcome.ts'
import type { CompiledRoute } from '../call/compiled-route.ts'
import { ValidationError } from '../errors/app-error.ts'
import { compileRoute, type RouteContext, toRouteInfo } from '../route/compile-route.ts'
import { route } from '../route/route.ts'
import { clientFrames, type RequestFrame } from './client-frames.ts'
import { FrameCall } from './frame-call.ts'
import type { WireConnection } from './wire.ts'

/** A control frame of core as the connections of an app handle it. */
export type CompiledFrame = (connection: WireConnection, fields: Readonly<Record<string, unknown>>) => void

/** Then the client gets an `error` frame with `deadline_exceeded`. */
export const frameDeadlineMs = 10_000

/**
 * Compiles the control frames of core. Each is a call like that of a route, under the name of its type: the guards that plugins add
 * to all routes, hooks, deadline, instruments and access log apply to it.
 */
export function compileFrames(context: RouteContext, calls: CallInstruments): ReadonlyMap<string, CompiledFrame> {
  const compiled = new Map<string, CompiledFrame>()
  for (const [type, frame] of Object.entries(clientFrames)) compiled.set(type, toCall(type, frame, context, calls))
  return compiled
}

function toCall(type: string, frame: RequestFrame, context: RouteContext, calls: CallInstruments): CompiledFrame {
  const compiled = compileFrame(type, frame, context, calls)
  const { lane, idField = 'id', endsCalls = false } = frame
  return (connection, fields) => {
    const peer = new FrameCall(connection, fields, idField)
    const call = new ActiveCall(compiled, peer, connection.shared.services, createId(), connection.identity, fields)
    connection.start(call, lane?.(fields) ?? null, endsCalls)
  }
}

function compileFrame(type: string, frame: RequestFrame, context: RouteContext, calls: CallInstruments): CompiledRoute {
  const { definition } = route({
    deadlineMs: frameDeadlineMs,
    handler: (_input, call) => {
      // Frames are run by `toCall` alone.
      if (!(call instanceof ActiveCall && call.peer instanceof FrameCall)) throw new TypeError('Not a control frame')
      if (call.peer.id === null) throw invalidId(frame.idField)
      return frame.handle(call.peer)
    },
  })
  const info = toRouteInfo(type, null, definition, 'public')
  // Who may do what is for the rules of topics to say, unless the app has a guard for all.
  const isRequired = context.guardsFor(info).some(({ identity }) => identity === 'required')
  const access = isRequired ? 'authenticated' : 'public'
  const compiled = compileRoute({ ...info, access }, definition, context, frame.servesWhileDraining)
  let count: ((outcome: CallOutcome) => void) | null = null
  const countWebSocket = (outcome: CallOutcome): void => {
    // An app whose clients never send the frame has no series for it.
    count ??= calls.webSocket(type)
    count(outcome)
  }
  return { ...compiled, countWebSocket }
}

function invalidId(field: RequestFrame['idField']): ValidationError {
  const message =
    field === undefined ? 'must be an integer from 0, or a string of at most 64 characters' : 'must be a UUID'
  return new ValidationError(undefined, [{ path: field ?? 'id', message }])
}
