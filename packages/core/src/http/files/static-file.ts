import type { ActiveCall } from '../../call/active-call.ts'
import { FileReplyResult } from '../../call/reply.ts'
import { NotFoundError } from '../../errors/app-error.ts'
import type { HeaderList, HttpExchange } from '../../transport/transport.ts'
import { type FileFinder, type FileRequest, type ReadyAnswer, sendKept } from './file-answer.ts'
import type { FileFolder, Found, FoundFile } from './file-folder.ts'
import { hasEncodedSlash, isServable } from './file-name.ts'
import { KeptFile } from './kept-file.ts'
import { readyOpened } from './opened-file.ts'
import { Representation } from './representation.ts'

/** A folder as it is served. */
export interface StaticMount {
  readonly root: string
  readonly folder: () => FileFolder
  /** The file of a folder; null for none. */
  readonly index: string | null
  /** The file of navigations to what does not exist; null for none. */
  readonly fallback: string | null
}

const nothing = new Uint8Array(0)

/** The answer of `staticFiles` to one request. */
export class StaticFile extends FileReplyResult implements FileFinder {
  readonly #mount: StaticMount
  readonly #name: string

  /** `name`: below the root, decoded. It ends in a slash for a folder, and is empty for the root itself. */
  constructor(mount: StaticMount, name: string) {
    super({ root: mount.root, name, inline: null, filename: null, contentType: null, cacheControl: null })
    this.#mount = mount
    this.#name = name
  }

  peek(request: FileRequest, call: ActiveCall): ReadyAnswer | null {
    const name = toFileName(this.#mount, this.#name, request.exchange.path)
    const kept = name === null ? null : this.#mount.folder().peek(name, call.services.clock.monotonic())
    if (kept === null) return null
    const form = kept.peek(request.exchange)
    return form === null ? null : { send: () => sendKept(request, call, form, null) }
  }

  async find(request: FileRequest, call: ActiveCall): Promise<ReadyAnswer> {
    const { fallback } = this.#mount
    const folder = this.#mount.folder()
    const nowMs = call.services.clock.monotonic()
    const found = await findFile(this.#mount, folder, this.#name, request.exchange.path, nowMs)
    if (found === 'directory') return redirect(request, call)
    if (found !== null) return ready(request, call, folder, found)
    if (fallback === null) throw new NotFoundError()
    // Of 404 too: a cache must not answer a navigation with it.
    call.replyHeaders.append('vary', 'accept')
    const instead = isNavigation(request.exchange) ? await folder.find(fallback, nowMs) : null
    if (instead === null || instead === 'directory') throw new NotFoundError()
    return ready(request, call, folder, instead)
  }
}

/** `path`: the whole one, as sent. `directory`: one that has an index, and is to be requested with a slash. */
async function findFile(
  mount: StaticMount,
  folder: FileFolder,
  name: string,
  path: string,
  nowMs: number,
): Promise<Found> {
  const file = toFileName(mount, name, path)
  if (file !== null) {
    if (!isServable(file)) return null
    const found = await folder.find(file, nowMs)
    if (found !== 'directory') return found
  }
  // The name of a folder without an index is not told.
  if (mount.index === null || path.endsWith('/') || hasEncodedSlash(path)) return null
  const index = await folder.find(name === '' ? mount.index : `${name}/${mount.index}`, nowMs)
  if (index === null || index === 'directory') return null
  if (!(index instanceof KeptFile)) await index.file.handle.close()
  return 'directory'
}

/** The file that is looked for first. Null: there is none. */
function toFileName({ index }: StaticMount, name: string, path: string): string | null {
  if (hasEncodedSlash(path)) return null
  if (!path.endsWith('/')) return name === '' ? null : name
  return index === null ? null : name + index
}

async function ready(
  request: FileRequest,
  call: ActiveCall,
  folder: FileFolder,
  found: KeptFile | FoundFile,
): Promise<ReadyAnswer> {
  if (found instanceof KeptFile) {
    const form = await found.form(request.exchange)
    return { send: () => sendKept(request, call, form, null) }
  }
  const { file, encoding } = await folder.encoded(found, request.exchange.header('accept-encoding'))
  return readyOpened(request, call, file, new Representation(file, found.meta, encoding, file.size), null)
}

/** A browser opens a page, as opposed to what the page loads. */
function isNavigation(exchange: HttpExchange): boolean {
  return /(?:^|,)\s*text\/html\s*(?:[;,]|$)/i.test(exchange.header('accept'))
}

/** To the same path with a slash. It is relative, so it can lead to no other host, and a proxy may have another prefix. */
function redirect(request: FileRequest, call: ActiveCall): ReadyAnswer {
  const { path, query } = request.exchange
  const last = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1))
  const rest = /^[\x21-\x7e]+$/.test(query) ? `?${query}` : ''
  const headers: HeaderList = [
    ['location', `./${encodeURIComponent(last)}/${rest}`],
    ['cache-control', 'no-cache'],
  ]
  return { send: () => request.respondFile(call, 308, headers, nothing, 0) }
}
