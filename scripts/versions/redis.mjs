// Redis and Valkey, as the releases of Debian have them, unpacked under .cache with the libraries that they need: nothing is installed. No release has
// Redis 6.2, the lowest that is accepted: it is in a package of Maven Central, and needs mvn and unzip.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** The server is in the package of the tools; `redis-server` is another name of `*-check-rdb`. */
const releases = {
  'redis-6.2': {
    artifact: ['com.github.codemonstur', 'embedded-redis', '1.4.3'],
    binaries: { x64: 'redis-server-6.2.6-v5-linux-amd64', arm64: 'redis-server-6.2.7-linux-arm64' },
  },
  'redis-7.0': { suite: 'bookworm', package: 'redis-tools', binary: 'redis-check-rdb' },
  'redis-8.0': { suite: 'trixie', package: 'redis-tools', binary: 'redis-check-rdb' },
  'valkey-8.1': { suite: 'trixie', package: 'valkey-tools', binary: 'valkey-check-rdb' },
}
const kept = fileURLToPath(new URL('../../.cache/redis/', import.meta.url))
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

export const versions = Object.keys(releases)
export const title = 'Redis'

/** Every suite that has Redis in its name, and those that run over several nodes. */
export const tests = [
  '--project',
  'integration',
  ...['broker-redis', 'ratelimit-redis', 'redis-', 'realtime-redis', 'control-redis', 'auth-nodes-redis'].map(
    (each) => `tests/integration/${each}`,
  ),
  ...['realtime-model', 'realtime-processes', 'tasks', 'sse-nodes'].map((each) => `tests/integration/${each}`),
]

/**
 * Suites take the `redis-server` of the PATH.
 * @param {string} name
 * @returns {Promise<{ version: string, env: Record<string, string>, stop(): Promise<void> }>}
 */
export async function start(name) {
  const folder = unpack(name)
  const env = { PATH: `${folder}${delimiter}${process.env.PATH}`, TEST_REDIS_URL: '' }
  const { stdout } = spawnSync(join(folder, 'redis-server'), ['--version'], { encoding: 'utf8' })
  const version = /v=(\S+)/.exec(stdout ?? '')?.[1]
  if (version === undefined) throw new Error(`the redis-server of ${name} does not start`)
  return { version, env, stop: async () => {} }
}

function unpack(name) {
  const folder = join(kept, name)
  if (existsSync(folder)) return folder
  const unfinished = join(kept, `${name}-unfinished`)
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(join(unfinished, 'downloads'), { recursive: true })
  const release = releases[name]
  if (release.artifact === undefined) unpackDebian(release, unfinished)
  else unpackMaven(release, unfinished)
  rmSync(join(unfinished, 'downloads'), { recursive: true })
  renameSync(unfinished, folder)
  return folder
}

function unpackMaven({ artifact, binaries }, unfinished) {
  const binary = binaries[process.arch]
  if (binary === undefined) throw new Error(`${artifact.join(':')} has no Redis for ${process.arch}`)
  const downloads = join(unfinished, 'downloads')
  const to = [`-Dartifact=${artifact.join(':')}`, `-DoutputDirectory=${downloads}`]
  run('mvn', ['-q', '-B', 'dependency:copy', ...to], unfinished)
  run('unzip', ['-q', join(downloads, `${artifact[1]}-${artifact[2]}.jar`), binary, '-d', downloads])
  copyFileSync(join(downloads, binary), join(unfinished, 'redis-server'))
  chmodSync(join(unfinished, 'redis-server'), 0o755)
}

function unpackDebian(release, unfinished) {
  if (!existsSync(keyring)) throw new Error(`${keyring} is missing: apt-get install debian-archive-keyring`)
  const apt = aptOf(release.suite, join(kept, 'apt'))
  const downloads = join(unfinished, 'downloads')
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((each) => `--no-${each}`)
  const depends = run('apt-cache', [...apt, 'depends', '--recurse', ...only, release.package])
  const packages = depends.split('\n').filter((line) => /^[a-z0-9]/.test(line))
  run(
    'apt-get',
    [...apt, 'download', '-q', ...packages.filter((each) => /^(lib|zlib|lua|redis|valkey)/.test(each))],
    downloads,
  )
  run('sh', ['-c', `for each in downloads/*.deb; do dpkg-deb -x "$each" root; done`], unfinished)
  copyFileSync(join(unfinished, 'root/usr/bin', release.binary), join(unfinished, 'root/redis-server'))
  const server = join(unfinished, 'redis-server')
  // With the loader and the libraries of its own release; by its name the program knows that it is to be a server.
  writeFileSync(
    server,
    `#!/bin/sh
root="$(dirname "$(readlink -f "$0")")/root"
libraries="$root/lib/${triplet}:$root/usr/lib/${triplet}"
for loader in "$root"/lib64/ld-linux-*.so.2 "$root"/usr/lib64/ld-linux-*.so.2 "$root"/usr/lib/${triplet}/ld-linux-*.so.* "$root"/lib/${triplet}/ld-linux-*.so.*; do
  [ -e "$loader" ] && exec "$loader" --library-path "$libraries" "$root/redis-server" "$@"
done
echo 'no loader' >&2
exit 1
`,
  )
  chmodSync(server, 0o755)
}

const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'

/** Options that make apt read one release of Debian, in our folders. */
function aptOf(suite, folder) {
  const lists = join(folder, suite)
  mkdirSync(join(lists, 'partial'), { recursive: true })
  mkdirSync(join(folder, 'cache/archives/partial'), { recursive: true })
  const sources = join(folder, `${suite}.list`)
  writeFileSync(sources, `deb [signed-by=${keyring}] http://deb.debian.org/debian ${suite} main\n`)
  const settings = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': lists,
    // Or else what is installed here would count.
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(folder, 'cache'),
    // Files below a folder that only its owner may enter.
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  run('apt-get', [...options, 'update', '-q'])
  return options
}

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.slice(-6).join(' ')}: ${error ?? `${stdout}${stderr}`}`)
  return stdout
}
