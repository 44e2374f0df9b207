import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProxyProcess } from './proxy-process.ts'
import { freePort, serviceMissing } from './service.ts'

export interface TestNginx {
  readonly port: number
  /** New workers; the old ones end when their connections do, at the latest after `workerShutdownMs`. */
  reload(): void
  stop(): Promise<void>
}

export interface TestNginxOptions {
  readonly targetPort: number
  /** `proxy_read_timeout` and `proxy_send_timeout`: of a connection without traffic. */
  readonly readTimeoutMs: number
  /** `worker_shutdown_timeout` */
  readonly workerShutdownMs: number
}

/** Is there one in the PATH? If not, prints what lacks, or throws where services are required. */
export function hasNginx(): boolean {
  return spawnSync('nginx', ['-v']).status === 0 || serviceMissing('nginx', 'apt-get install nginx-light')
}

/** In front of an app on 127.0.0.1, for both wires. */
export async function startNginx({
  targetPort,
  readTimeoutMs,
  workerShutdownMs,
}: TestNginxOptions): Promise<TestNginx> {
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-nginx-'))
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  await writeFile(
    file,
    toNginxConfig(
      folder,
      workerShutdownMs,
      `map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
server {
  listen 127.0.0.1:${port};
  location / {
    proxy_pass http://127.0.0.1:${targetPort};
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_read_timeout ${readTimeoutMs}ms;
    proxy_send_timeout ${readTimeoutMs}ms;
  }
}`,
    ),
  )
  const child = await startProxyProcess('nginx', ['-e', 'stderr', '-c', file, '-p', folder], [port])
  return {
    port,
    reload: () => child.kill('SIGHUP'),
    async stop() {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const temporaryPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/** A configuration that needs nothing but its folder, with one worker. `workerShutdownMs`: of the connections of old workers after a reload. */
export function toNginxConfig(folder: string, workerShutdownMs: number, servers: string): string {
  return `daemon off;
worker_processes 1;
worker_shutdown_timeout ${workerShutdownMs}ms;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
${temporaryPaths.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
access_log off;
${servers}
}
`
}
