import { createRequire } from 'node:module'
import { loadSameUws } from '../lib/uws.mjs'

/** hyper-express on the build that core runs on: the package of it alone does not load where glibc is older than 2.38. */
export async function loadHyperExpress() {
  const require = createRequire(import.meta.url)
  const path = require.resolve('uWebSockets.js')
  const loaded = Object.assign(new (require('node:module'))(path), { filename: path, loaded: true })
  loaded.exports = loadSameUws()
  require.cache[path] = loaded
  return (await import('hyper-express')).default
}

/** Starts it on a free port. */
export async function listen(server) {
  await server.listen(0, '127.0.0.1')
  return server.port
}
