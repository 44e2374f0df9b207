import type { MaybePromise } from '../base/maybe-promise.ts'
import type { NodeControl } from '../hub/control.ts'

/** Sends control messages of one plugin to the other nodes of the app. */
export interface PluginControl {
  /**
   * Sends `data`, which is JSON of at most 64 KiB, to the handlers of this plugin on all other nodes. With `keepMs` also to nodes that are cut
   * off, and to those that start, within that time; without, only to those that are connected. May be called at any time; before the app is
   * ready the message waits.
   *
   * The result, or what its promise resolves with: true if the broker has the message. False if it did not take it, which is logged: with
   * `keepMs` it is sent again in the background, until the broker takes it or the time is over, and the app waits for that when it closes, within
   * its time limit. Never rejects. Without a promise if the broker answers without one, as the memory broker does. Throws TypeError for data that
   * is not JSON or too large.
   */
  send(data: unknown, options?: { readonly keepMs?: number }): MaybePromise<boolean>
}

const maxBytes = 64 * 1024
const maxKeepMs = 400 * 86_400_000

export function createPluginControl(plugin: string, control: Pick<NodeControl, 'sendOfPlugin'>): PluginControl {
  return {
    send(data, { keepMs = 0 } = {}) {
      if (!Number.isInteger(keepMs) || keepMs < 0 || keepMs > maxKeepMs)
        throw new TypeError(`Plugin '${plugin}': keepMs must be an integer from 0 to ${maxKeepMs} (400 days)`)
      return control.sendOfPlugin(plugin, toJson(plugin, data), keepMs)
    },
  }
}

/** A copy, which later changes do not reach. */
function toJson(plugin: string, data: unknown): unknown {
  let text: string | undefined
  try {
    text = JSON.stringify(data)
  } catch (cause) {
    throw new TypeError(`Plugin '${plugin}': a control message must be JSON`, { cause })
  }
  if (text === undefined)
    throw new TypeError(`Plugin '${plugin}': a control message must be JSON, not a ${typeof data}`)
  if (Buffer.byteLength(text) > maxBytes)
    throw new TypeError(`Plugin '${plugin}': a control message must have at most ${maxBytes} bytes: send an id instead`)
  return JSON.parse(text)
}
