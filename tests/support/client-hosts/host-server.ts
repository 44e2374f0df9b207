import { createServer, type ServerResponse } from 'node:http'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { startTcpProxy, type TcpProxy } from '../tcp-proxy.ts'
import type { HostConfig } from './cases.ts'
import { createHostsApp, told } from './hosts-app.ts'

/** The app, its issuer, and for each host a proxy with outages. */
export interface HostServer {
  /** Of the pages: not that of the app. */
  readonly origin: string
  /** What a host is to be called with. */
  configOf(host: string): Promise<HostConfig>
  close(): Promise<void>
}

/** `pages`: the documents and scripts of its origin, by path. */
export async function startHostServer(pages: ReadonlyMap<string, string>): Promise<HostServer> {
  const proxies = new Map<string, TcpProxy>()
  const control = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://control')
    if (request.method !== 'POST') return sendPage(response, pathname, pages.get(pathname))
    const [, host = '', action] = pathname.split('/')
    const proxy = proxies.get(host)
    if (proxy !== undefined && (action === 'down' || action === 'up')) {
      proxy.isRefusing = action === 'down'
      if (proxy.isRefusing) proxy.cut()
    }
    const topic = searchParams.get('topic')
    if (action !== 'publish' || topic === null) return void response.end()
    // As another node would, past the proxy.
    Promise.resolve(app.hub.publish(topic, told, { n: Number(searchParams.get('n')) })).then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve))
  const address = control.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const issuer = await createTestIssuer({ users: [{ username: 'ada' }, { username: 'bob' }] })
  const app = createHostsApp(issuer.issuer, origin)
  const { port } = await app.listen({ port: 0 })
  return {
    origin,
    configOf: async (host) => {
      const proxy = await startTcpProxy(port)
      proxies.set(host, proxy)
      return {
        host,
        url: `http://127.0.0.1:${proxy.port}`,
        manifest: app.manifest(),
        tokens: { ada: issuer.token('ada'), bob: issuer.token('bob'), stranger: 'nonsense' },
        control: `${origin}/${host}`,
      }
    },
    close: async () => {
      await Promise.all([...proxies.values()].map((proxy) => proxy.close()))
      await app.close()
      await issuer.stop()
      control.closeAllConnections()
      await new Promise((resolve) => control.close(resolve))
    },
  }
}

function sendPage(response: ServerResponse, path: string, text: string | undefined): void {
  const type = path.endsWith('.js') ? 'text/javascript' : 'text/html'
  response.writeHead(text === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` }).end(text)
}
