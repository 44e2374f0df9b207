import { BootError } from '../base/boot-error.ts'
import { option } from '../base/option.ts'
import type { OptionRule } from '../base/option-rule.ts'
import type { AnyEvent } from '../call/event.ts'
import { maxPkgId } from '../protocol/frame.ts'
import type { AnyRoute } from '../route/route.ts'

/** PkgIDs that an app sets for routes and events of its plugins: by plugin, then by name of the route or event. */
export type PluginPkgIds = Readonly<Record<string, Readonly<Record<string, number>>>>

export const pluginPkgIdsRule: OptionRule<PluginPkgIds | undefined> = option.custom({
  expects: 'PkgIDs by plugin and name, such as { presence: { WATCH: 42 } }',
  is: (value): value is PluginPkgIds => isRecord(value) && Object.values(value).every(isRecord),
})

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

interface AddedPackage {
  readonly plugin: string
  /** In the app: `<plugin>.<name>`. */
  readonly name: string
  readonly pkgId: number
}

/** What the app itself declares. */
export interface AppPackages {
  readonly pkgIds: Readonly<Record<string, number>>
  readonly events: Readonly<Record<string, AnyEvent>>
  readonly pluginPkgIds: PluginPkgIds
}

/** Routes and events that plugins add to an app, with their PkgIDs. */
export class PluginPackages {
  readonly routes: (AddedPackage & { readonly route: AnyRoute })[] = []
  readonly events: (AddedPackage & { readonly event: AnyEvent })[] = []
  readonly #pluginPkgIds: PluginPkgIds
  /** By PkgID: what has it, for messages. */
  readonly #owners: Map<number, string>
  readonly #eventNames: Map<AnyEvent, string>

  constructor({ pkgIds, events, pluginPkgIds }: AppPackages) {
    this.#pluginPkgIds = pluginPkgIds
    this.#owners = new Map(Object.entries(pkgIds).map(([name, pkgId]) => [pkgId, `${name} of the app`]))
    this.#eventNames = new Map(Object.entries(events).map(([name, event]) => [event, `${name} of the app`]))
  }

  addRoute(plugin: string, name: string, route: AnyRoute, pkgId: number | undefined): void {
    const owner = `route '${name}' of plugin '${plugin}'`
    if (route?.kind !== 'route') throw new BootError('bad_route', `The ${owner} was not made by route(…)`)
    if (route.definition.access === null)
      throw new BootError('bad_route', `The ${owner} must state its access: 'public' or 'authenticated'`)
    this.routes.push({ ...this.#claim(plugin, name, owner, pkgId), route })
  }

  addEvent(plugin: string, name: string, event: AnyEvent, pkgId: number | undefined): void {
    const owner = `event '${name}' of plugin '${plugin}'`
    if (event?.kind !== 'event') throw new BootError('bad_route', `The ${owner} was not made by event(…)`)
    const other = this.#eventNames.get(event)
    if (other !== undefined)
      throw new BootError('duplicate_route', `The ${owner} is the same definition as ${other}: call event(…) for each`)
    this.events.push({ ...this.#claim(plugin, name, owner, pkgId), event })
    this.#eventNames.set(event, owner)
  }

  /** Once all plugins are set up: every PkgID that the app sets for a plugin must be used. */
  checkAllUsed(): void {
    const added = [...this.routes, ...this.events]
    for (const [plugin, pkgIds] of Object.entries(this.#pluginPkgIds)) {
      const names = added.filter((each) => each.plugin === plugin).map(({ name }) => name.slice(plugin.length + 1))
      const unused = Object.keys(pkgIds).find((name) => !names.includes(name))
      if (unused !== undefined)
        throw new BootError(
          'unknown_option',
          `createApp(): pluginPkgIds.${plugin}.${unused} is not a route or event that plugin '${plugin}' adds. Known names: ${names.join(', ') || 'none'}`,
        )
    }
  }

  #claim(plugin: string, localName: string, owner: string, ownPkgId: number | undefined): AddedPackage {
    const name = `${plugin}.${localName}`
    if (localName === '') throw new BootError('bad_route', `The ${owner} needs a name`)
    if ([...this.routes, ...this.events].some((each) => each.name === name))
      throw new BootError('duplicate_route', `Plugin '${plugin}' adds '${localName}' twice: rename one`)
    const move = `createApp({ pluginPkgIds: { '${plugin}': { ${localName}: … } } })`
    const ofPlugin = Object.hasOwn(this.#pluginPkgIds, plugin) ? this.#pluginPkgIds[plugin] : undefined
    const pkgId =
      (ofPlugin !== undefined && Object.hasOwn(ofPlugin, localName) ? ofPlugin[localName] : ownPkgId) ?? null
    if (pkgId === null) throw new BootError('bad_pkg_id', `The ${owner} has no PkgID: set one with ${move}`)
    if (!Number.isInteger(pkgId) || pkgId < 1 || pkgId > maxPkgId)
      throw new BootError(
        'bad_pkg_id',
        `The PkgID of the ${owner} must be an integer from 1 to ${maxPkgId}, received ${pkgId}`,
      )
    const other = this.#owners.get(pkgId)
    if (other !== undefined)
      throw new BootError(
        'duplicate_pkg_id',
        `The ${owner} has the PkgID ${pkgId}, which ${other} has too: set another one with ${move}`,
      )
    this.#owners.set(pkgId, `the ${owner}`)
    return { plugin, name, pkgId }
  }
}
