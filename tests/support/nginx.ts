import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const temporary = paths.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')
  const file = join(folder, 'nginx.conf')
  await writeFile(
    file,
    `daemon off;
worker_processes 1;
worker_shutdown_timeout ${workerShutdownMs}ms;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
${temporary}
access_log off;
map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
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
}
}
`,
  )
  const child = spawn('nginx', ['-e', 'stderr', '-c', file, '-p', folder], { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  let hasEnded = false
  const ended = new Promise<void>((resolve) =>
    child.once('exit', () => {
      hasEnded = true
      resolve()
    }),
  )
  while (!(await accepts(port))) {
    if (hasEnded) throw new Error(`nginx ended: ${log}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    port,
    reload: () => void child.kill('SIGHUP'),
    stop: async () => {
      child.kill('SIGTERM')
      const killed = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ended
      clearTimeout(killed)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
