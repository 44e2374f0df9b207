import { isPromise } from '../base/maybe-promise.ts'
import type { AnyEvent } from '../call/event.ts'
import type { Publication } from '../call/publication.ts'
import type { CompiledEvent } from '../hub/prepare-publication.ts'
import type { EventContract } from '../plugin/contract.ts'
import type { AppDescription } from '../route/describe.ts'
import { compileValue } from '../route/output.ts'
import { compileWireInput } from '../route/wire-input.ts'
import type { EventTable, PkgIds } from './app-options.ts'

interface NamedEvent {
  readonly name: string
  readonly pkgId: number
  readonly event: AnyEvent
}

/** The events of an app, compiled: its own, and once its plugins are set up also theirs. */
export class AppEvents {
  readonly #validate: boolean
  readonly #named: NamedEvent[] = []
  readonly #names = new Map<number, string>()
  readonly #compiled = new Map<AnyEvent, CompiledEvent>()
  /** Those with a key, by PkgID. */
  readonly #keyed = new Map<number, AnyEvent>()

  constructor(events: EventTable, pkgIds: PkgIds, validate: boolean) {
    this.#validate = validate
    this.add(Object.entries(events).map(([name, event]) => ({ name, pkgId: pkgIds[name] as number, event })))
  }

  add(events: readonly NamedEvent[]): void {
    for (const each of events) {
      this.#named.push(each)
      this.#names.set(each.pkgId, each.name)
      this.#compiled.set(each.event, compileEvent(each, this.#validate))
      if (each.event.key !== undefined) this.#keyed.set(each.pkgId, each.event)
    }
  }

  find(event: AnyEvent): CompiledEvent | undefined {
    return this.#compiled.get(event)
  }

  nameOf(pkgId: number): string {
    return this.#names.get(pkgId) ?? String(pkgId)
  }

  /** What it is the state of; null for an event without `key`. Throws what `key` throws. */
  keyOf({ pkgId, data }: Publication): string | null {
    return this.#keyed.get(pkgId)?.key?.(data) ?? null
  }

  describe(): AppDescription['events'] {
    return this.#named.map(({ name, pkgId, event: { summary } }) => ({ name, pkgId, summary }))
  }

  contracts(): readonly EventContract[] {
    return this.#named.map(({ name, pkgId, event: { summary, data, answer } }) => {
      return { name, pkgId, summary, data, answer }
    })
  }
}

function compileEvent({ name, pkgId, event }: NamedEvent, validate: boolean): CompiledEvent {
  const output = compileValue(event.data, validate)
  const toData = (data: unknown): unknown => {
    const result = output(data)
    if (isPromise(result)) throw new Error(`The schema of event ${name} is asynchronous: events need a synchronous one`)
    return result
  }
  const answer = event.answer === null ? null : compileWireInput(event.answer, `Event ${name}: its answer`)
  return { pkgId, toData, answer }
}
