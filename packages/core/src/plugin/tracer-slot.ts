import { BootError } from '../base/boot-error.ts'
import type { Operations } from '../base/operations.ts'
import type { Tracer } from '../call/tracer.ts'

/** The tracer of an app, once a plugin has registered one: operations find it also if their part of the app was set up before. */
export class TracerSlot implements Operations {
  tracer: Tracer | null = null
  begin: Operations['begin'] = null
  #owner = ''

  /** @throws BootError `duplicate_tracer` */
  set(plugin: string, tracer: Tracer): void {
    if (this.tracer !== null)
      throw new BootError(
        'duplicate_tracer',
        `Plugins '${this.#owner}' and '${plugin}' both trace the app: install one of them`,
      )
    this.#owner = plugin
    this.tracer = tracer
    this.begin = (operation) => tracer.operation(operation)
  }
}
