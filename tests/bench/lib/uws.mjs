import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const variable = 'TWINWIRE_BENCH_UWS'

/** For the processes of servers: where the addon is, and the header limit that core sets. */
export function uwsEnvironment() {
  const file = execFileSync(process.execPath, [fileURLToPath(new URL('uws-file.mjs', import.meta.url))], {
    cwd: fileURLToPath(new URL('../../../', import.meta.url)),
    encoding: 'utf8',
  })
  return { [variable]: file, UWS_HTTP_MAX_HEADERS_SIZE: '32768' }
}

/** The build of uWebSockets.js that core runs on, so that no server has a better one. */
export function loadSameUws() {
  const file = process.env[variable]
  if (file === undefined) throw new Error(`${variable} is not set: servers are started by npm run bench`)
  const addon = { exports: {} }
  process.dlopen(addon, file)
  return addon.exports
}
