import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { adapt, configOf } from './proxy-page.ts'
import { startProxyProcess, type TestProxy, type TestProxyOptions } from './proxy-process.ts'
import { freePort, serviceMissing } from './service.ts'

const run = promisify(execFile)

/** Is there one in the PATH? If not, prints what lacks, or throws where services are required. */
export function hasCaddy(): boolean {
  return spawnSync('caddy', ['version']).status === 0 || serviceMissing('Caddy', 'apt-get install caddy')
}

/** Caddy with the configuration of docs_site/behind-a-proxy.md. */
export async function startCaddy({ targets, certificate, changes = [] }: TestProxyOptions): Promise<TestProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-caddy-'))
  const [port, securePort, adminPort] = [await freePort(), await freePort(), await freePort()]
  const site = adapt(configOf('caddyfile'), [
    ['127.0.0.1:8000', targets.map((target) => `127.0.0.1:${target}`).join(' ')],
    ['Host api.example.com', 'Host 127.0.0.1'],
    ['health_interval 2s', 'health_interval 200ms'],
    ...changes,
  ])
  // Its own certificates need a name on the internet.
  const tls = `tls ${certificate.certFile} ${certificate.keyFile}`
  const file = join(folder, 'Caddyfile')
  await writeFile(
    file,
    `{
  admin 127.0.0.1:${adminPort}
  auto_https disable_redirects
  skip_install_trust
}
${adapt(site, [['api.example.com {', `http://127.0.0.1:${port}, http://localhost:${port} {`]])}
${adapt(site, [['api.example.com {', `https://127.0.0.1:${securePort}, https://localhost:${securePort} {\n  ${tls}`]])}
`,
  )
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const child = await startProxyProcess('caddy', ['run', '--config', file], [port, securePort], { env })
  return {
    port,
    securePort,
    reload: async () => {
      await run('caddy', ['reload', '--force', '--config', file], { env })
    },
    async stop() {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
