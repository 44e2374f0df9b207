import { DownloadLoad } from '../lib/download-load.mjs'
import { staticFile } from '../servers/file.mjs'
import { workload as get, toRequest } from './http-get.mjs'

/** A file of 16 KiB by `staticFiles`, which keeps it in memory and looks at the disk once a second. */
export const workload = {
  name: 'http-static',
  /** The first one is what the others are compared with. */
  servers: [
    { name: 'raw', file: new URL('../servers/raw-static.mjs', import.meta.url) },
    { name: 'twinwire', file: new URL('../servers/twinwire-static.mjs', import.meta.url) },
  ],
  profiled: 'twinwire',
  connections: 64,
  inFlight: 1,

  createLoad: () => new DownloadLoad(),
  request: toRequest('GET /assets/file.bin HTTP/1.1'),
  body: staticFile,
  headers: (server) => [
    ...get.headers(server),
    ...(server === 'raw' ? [] : ['etag', 'last-modified', 'cache-control']),
  ],
}
