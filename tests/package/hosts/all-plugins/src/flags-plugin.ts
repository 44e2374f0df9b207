// A plugin as an outside author writes it, with public exports of core only.
import { guard, NotFoundError, type Plugin, reply, route } from '@twinwire/core'
import { definePlugin, pluginKey } from '@twinwire/core/plugin'

interface FlagsApi {
  isOn(flag: string): boolean
}

export const flagsKey = pluginKey('flags').of<FlagsApi>()

/** Switches parts of an app on and off: counted, in the health report, listed by `GET /flags`. */
export function flags(on: readonly string[]): Plugin<FlagsApi> {
  return definePlugin(flagsKey, {
    setup(host) {
      const asked = host.instruments.counter('flags_asked_total', 'Questions for a flag', { answer: ['on', 'off'] })
      const cells = { on: asked.cell({ answer: 'on' }), off: asked.cell({ answer: 'off' }) }
      host.health('flags', () => {})
      host.endpoint(route({ http: 'GET /flags', access: 'public', handler: () => reply.text(on.join(',')) }))
      return {
        isOn(flag) {
          const answer = on.includes(flag)
          cells[answer ? 'on' : 'off'].inc()
          return answer
        },
      }
    },
  })
}

/** The route is there while `flag` is on; adds `flag`. */
export const whenOn = (flag: string) =>
  guard({
    name: `flags.whenOn(${flag})`,
    needs: flagsKey,
    bind: (api: FlagsApi) => () => {
      if (!api.isOn(flag)) throw new NotFoundError()
      return { flag }
    },
  })
