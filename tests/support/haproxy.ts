import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adapt, configOf } from './proxy-page.ts'
import { startProxyProcess, type TestProxy, type TestProxyOptions } from './proxy-process.ts'
import { freePort, serviceMissing } from './service.ts'

/** Is there one in the PATH? If not, prints what lacks, or throws where services are required. */
export function hasHaproxy(): boolean {
  return spawnSync('haproxy', ['-v']).status === 0 || serviceMissing('HAProxy', 'apt-get install haproxy')
}

/** HAProxy with the configuration of docs_site/behind-a-proxy.md. */
export async function startHaproxy(options: TestProxyOptions): Promise<TestProxy> {
  const { targets, certificate, idleSeconds = 60, changes = [] } = options
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-haproxy-'))
  const [port, securePort] = [await freePort(), await freePort()]
  const pem = join(folder, 'site.pem')
  await writeFile(pem, `${await readFile(certificate.certFile, 'utf8')}${await readFile(certificate.keyFile, 'utf8')}`)
  const config = configOf('haproxy')
  const server = /^ {2}server app1 127\.0\.0\.1:8000(.*)$/m.exec(config)
  if (server === null) throw new Error('docs_site/behind-a-proxy.md has no line for the server of HAProxy')
  const file = join(folder, 'haproxy.cfg')
  await writeFile(
    file,
    adapt(config, [
      [server[0], targets.map((target, at) => `  server app${at + 1} 127.0.0.1:${target}${server[1]}`).join('\n')],
      [
        'bind :443 ssl crt /etc/haproxy/api.example.com.pem',
        `bind 127.0.0.1:${port}\n  bind 127.0.0.1:${securePort} ssl crt ${pem}`,
      ],
      ['timeout client 60s', `timeout client ${idleSeconds}s`],
      ['timeout server 60s', `timeout server ${idleSeconds}s`],
      ['timeout tunnel 60s', `timeout tunnel ${idleSeconds}s`],
      ['hdr Host api.example.com', 'hdr Host 127.0.0.1'],
      ['inter 2s', 'inter 200ms'],
      ...changes,
    ]),
  )
  // Master and worker: the master starts a new worker when it is told to reload.
  const child = await startProxyProcess('haproxy', ['-W', '-f', file], [port, securePort])
  return {
    port,
    securePort,
    reload: async () => child.kill('SIGUSR2'),
    async stop() {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
