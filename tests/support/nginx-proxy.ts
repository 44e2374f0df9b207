import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toNginxConfig } from './nginx.ts'
import { adapt, configOf } from './proxy-page.ts'
import { startProxyProcess, type TestProxy, type TestProxyOptions } from './proxy-process.ts'
import { freePort } from './service.ts'

/** `worker_shutdown_timeout`: of the connections of old workers after a reload. */
const workerShutdownMs = 300

/** nginx with the configuration of docs_site/behind-a-proxy.md. */
export async function startNginxProxy(options: TestProxyOptions): Promise<TestProxy> {
  const { targets, certificate, idleSeconds = 60, changes = [] } = options
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-nginx-'))
  // Started by root, its workers are another user.
  await chmod(folder, 0o755)
  const [port, securePort] = [await freePort(), await freePort()]
  const file = join(folder, 'nginx.conf')
  const site = adapt(configOf('nginx'), [
    ['  server 127.0.0.1:8000;', targets.map((target) => `  server 127.0.0.1:${target};`).join('\n')],
    ['listen 443 ssl http2;', `listen 127.0.0.1:${securePort} ssl http2;\n  listen 127.0.0.1:${port};`],
    ['server_name api.example.com;', 'server_name 127.0.0.1 localhost;'],
    ['/etc/ssl/api.example.com.pem', certificate.certFile],
    ['/etc/ssl/private/api.example.com.key', certificate.keyFile],
    ['_timeout 60s;', `_timeout ${idleSeconds}s;`],
    ...changes,
  ])
  await writeFile(file, toNginxConfig(folder, workerShutdownMs, site))
  const child = await startProxyProcess('nginx', ['-e', 'stderr', '-c', file, '-p', folder], [port, securePort])
  return {
    port,
    securePort,
    reload: async () => child.kill('SIGHUP'),
    async stop() {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
