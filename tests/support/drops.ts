import type { App, Call } from '@twinwire/core'

/** Drops a promise that fails, on behalf of a call. */
type Drop = (call: Call) => void

/** Every promise that core hands out, by the name that its line in the log has. */
export function drops(app: App): Readonly<Record<string, Drop>> {
  return {
    'connection.join': (call) => void call.connection?.join('x:1'),
    'connection.join of the hub': (call) => void app.hub.get(call.connection?.id ?? '')?.join('x:1'),
  }
}
