import { DownloadLoad } from '../lib/download-load.mjs'
import { file } from '../servers/file.mjs'
import { workload as get, toRequest } from './http-get.mjs'

/** A download of 1 MiB by `reply.bytes`, more than the system takes at once. */
export const workload = {
  name: 'http-download',
  /** The first one is what the others are compared with. */
  servers: [
    { name: 'raw', file: new URL('../servers/raw-download.mjs', import.meta.url) },
    { name: 'twinwire', file: new URL('../servers/twinwire-download.mjs', import.meta.url) },
  ],
  profiled: 'twinwire',
  connections: 16,
  inFlight: 1,

  createLoad: () => new DownloadLoad(),
  request: toRequest('GET /download HTTP/1.1'),
  body: file,
  headers: get.headers,
}
