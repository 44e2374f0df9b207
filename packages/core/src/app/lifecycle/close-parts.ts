import { type Clock, withTimeout } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { ConnectionHub } from '../../hub/hub.ts'
import type { PluginRegistry } from '../../plugin/plugin-host.ts'

interface Parts {
  readonly clock: Clock
  readonly log: Logger
  /** Of each. */
  readonly timeoutMs: number
  readonly onClose: PluginRegistry['onClose']
  readonly hub: Pick<ConnectionHub, 'flush' | 'close'>
}

/** Plugins in reverse order, then the broker, since plugins publish as they close, and has to send that first. One that fails or hangs does not keep the others open. */
export async function closeParts({ clock, log, timeoutMs, onClose, hub }: Parts): Promise<void> {
  for (const { plugin, run } of onClose.splice(0).reverse()) {
    try {
      await withTimeout(clock, timeoutMs, 'onClose', run)
    } catch (error) {
      log.error({ err: error, plugin }, 'A plugin failed to close')
    }
  }
  try {
    await withTimeout(clock, timeoutMs, 'Sending what other nodes have to know', () => hub.flush())
  } catch (error) {
    log.error({ err: error }, 'Other nodes were not informed of everything')
  }
  try {
    await withTimeout(clock, timeoutMs, 'The close of the broker', () => hub.close())
  } catch (error) {
    log.error({ err: error }, 'The broker failed to close')
  }
}
