// Renders a component below a provider, in strict mode, and records what was shown.
import { type Client, createClient, type WebSocketConstructor } from '@twinwire/client'
import { createHooks } from '@twinwire/client/react'
import { createElement, type ReactNode, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import type { CaseReport, HostConfig } from '../client-hosts/cases.ts'
import type { HostsApp } from '../client-hosts/hosts-app.ts'

export const hooks = createHooks<HostsApp>()
const { TwinwireProvider } = hooks

export interface ReactHost extends HostConfig {
  /** `sent`: types of the control frames, and names of the routes, that the client has sent. */
  open(): { readonly client: Client<HostsApp>; readonly sent: readonly string[] }
  /** Renders into an element of its own. */
  mount(client: Client<HostsApp>): Mounted
}

export interface Mounted {
  readonly part: Part
  render(node: ReactNode): void
  unmount(): void
}

type Case = (host: ReactHost) => Promise<void>
export type Cases = Readonly<Record<string, Case>>

export interface Part {
  innerHTML: string
  readonly textContent: string | null
}
declare const document: { createElement(name: string): Part; readonly body: { append(part: Part): void } }

export function runReactCases(cases: Cases): (config: HostConfig) => Promise<CaseReport[]> {
  return async (config) => {
    const reports: CaseReport[] = []
    const names = new Map(Object.entries(config.manifest.routes).map(([name, { pkgId }]) => [pkgId, name]))
    for (const [name, run] of Object.entries(cases)) {
      const opened: Client<HostsApp>[] = []
      const mounted: Mounted[] = []
      const host: ReactHost = {
        ...config,
        open: () => {
          const sent: string[] = []
          const client = createClient<HostsApp>({
            url: config.url,
            manifest: config.manifest,
            getToken: () => config.tokens.ada,
            reconnect: { minMs: 5, maxMs: 50 },
            WebSocket: loggingSocket((frame) => {
              const { type, pkg_id } = JSON.parse(frame)
              sent.push(type ?? names.get(pkg_id))
            }),
          })
          opened.push(client)
          return { client, sent }
        },
        mount: (client) => {
          const one = mountFor(client)
          mounted.push(one)
          return one
        },
      }
      const error = await run(host).then(
        () => null,
        (reason: unknown) => String(reason instanceof Error ? (reason.stack ?? reason) : reason),
      )
      for (const one of mounted) one.unmount()
      for (const client of opened) client.close()
      reports.push({ name, error })
    }
    return reports
  }
}

function mountFor(client: Client<HostsApp>): Mounted {
  const part = createPart()
  const root = createRoot(part)
  return {
    part,
    render: (node) => root.render(inProvider(client, node)),
    unmount: () => root.unmount(),
  }
}

export function createPart(html = ''): Part {
  const part = document.createElement('div')
  part.innerHTML = html
  document.body.append(part)
  return part
}

export function inProvider(client: Client<HostsApp>, node: ReactNode): ReactNode {
  return createElement(StrictMode, null, createElement(TwinwireProvider, { client }, node))
}

interface Scope {
  readonly WebSocket?: WebSocketConstructor
}

function loggingSocket(log: (frame: string) => void): WebSocketConstructor {
  const { WebSocket: Native }: Scope = globalThis
  if (Native === undefined) throw new Error('There is no WebSocket')
  return class extends Native {
    override send(frame: string | Uint8Array<ArrayBuffer>): void {
      log(String(frame))
      super.send(frame)
    }
  }
}
