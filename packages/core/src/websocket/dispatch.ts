import { ActiveCall } from '../call/active-call.ts'
import { coreError, MalformedRequestError, NotFoundError, UnavailableError } from '../errors/app-error.ts'
import { disconnects } from '../errors/disconnect.ts'
import type { ControlFrame, Frame, RefusedFrame, RequestFrame } from '../protocol/frame.ts'
import { unknownPkgId, uuidPattern, zeroUuid } from '../protocol/frame.ts'
import type { WebSocketConnection } from './connection.ts'

/** Leads a decoded frame to its call, its control handler, or its refusal. */
export function dispatch(connection: WebSocketConnection, frame: Frame): void {
  if (frame.kind === 'request') callRoute(connection, frame)
  else if (frame.kind === 'control') control(connection, frame)
  else refuse(connection, frame)
}

function callRoute(connection: WebSocketConnection, frame: RequestFrame): void {
  const { shared, running } = connection
  const { router, services, options } = shared
  connection.malformedInARow = 0
  const route = router.find(frame.pkgId) ?? shared.unmatched
  const call = new ActiveCall(route, connection, services, frame.reqId, connection.identity, frame.data, frame.pkgId)
  if (services.onCall !== null) services.onCall(call)
  if (shared.draining) return call.fail(new UnavailableError('The server is restarting'))
  if (route === shared.unmatched) return call.fail(new NotFoundError(`No handler found for pkg_id ${frame.pkgId}`))
  if (running.size >= options.maxInFlight) return call.fail(coreError('too_many_in_flight'))
  if (options.ordered) connection.queue.enter(connection, call)
  else if (route.ordered) connection.queue.enter(route, call)
  else route.run(call)
  // A call that is synchronous from end to end has been answered by now, and none of this is needed for it.
  if (call.settled) return
  running.add(call)
  call.armDeadline()
}

function control(connection: WebSocketConnection, frame: ControlFrame): void {
  const handle = connection.shared.controls.get(frame.type)
  if (handle === undefined) {
    const error = new MalformedRequestError('The frame is neither a package nor a known control frame')
    // Perhaps it was meant as a package: whoever waits for it goes by the id.
    const { req_id: id } = frame.fields
    const reqId = typeof id === 'string' && uuidPattern.test(id) ? id : zeroUuid
    return refuse(connection, { kind: 'refused', pkgId: unknownPkgId, reqId, error })
  }
  connection.malformedInARow = 0
  connection.gate.runControl(handle, frame.fields)
}

function refuse(connection: WebSocketConnection, { pkgId, reqId, error }: RefusedFrame): void {
  const { shared } = connection
  connection.sendError(pkgId, reqId, error)
  shared.refusedFrame(error.code)
  if (error.code !== 'malformed_request') return
  shared.instruments.malformed.inc()
  connection.malformedInARow++
  if (connection.malformedInARow >= shared.options.maxMalformedFrames)
    connection.close(disconnects.tooManyMalformedFrames)
}
