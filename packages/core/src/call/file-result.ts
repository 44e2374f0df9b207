import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ReplyCookies } from './cookies.ts'
import type { ReplyHeadersInit } from './reply.ts'

/** How `reply.file` sends a file. */
export interface FileOptions {
  /** The folder that the file is in. A relative one is below the working directory. */
  readonly root: string | URL
  /**
   * True: a browser shows the file, also HTML, SVG and XML, whose scripts then run as those of your site. False: it saves the file. Default: it shows it,
   * unless it is of one of these types or `filename` is set.
   */
  readonly inline?: boolean
  /** The name under which a browser saves it. Any characters: see `attachment`. */
  readonly filename?: string
  /** Default: by the extension of its name; `application/octet-stream` for one that is not known. */
  readonly contentType?: string
  /** Default `no-cache`, on a route with `access: 'authenticated'` `private, no-cache`: it may be kept, and is requested before each use. */
  readonly cacheControl?: string
  /** They replace those that are made here. Whether the file is saved follows from the `content-type` that is sent, and conditions from the validators. */
  readonly headers?: ReplyHeadersInit
  readonly cookies?: ReplyCookies
  /** With a status the file is sent as it is: without ranges, and whatever the conditions of the request. Default 200, 206, 304, 412 or 416. */
  readonly status?: number
}

/** A file, not opened yet. */
export interface FileResult {
  /** Absolute. */
  readonly root: string
  readonly name: string
  readonly inline: boolean | null
  readonly filename: string | null
  readonly contentType: string | null
  readonly cacheControl: string | null
}

/** @throws TypeError */
export function toFileResult(name: string, options: FileOptions): FileResult {
  const { root, inline = null, filename = null, contentType = null, cacheControl = null } = options
  if (typeof name !== 'string') throw new TypeError(`reply.file takes the name of a file, not ${typeof name}`)
  return { root: toFolder(root, 'reply.file'), name, inline, filename, contentType, cacheControl }
}

/** @throws TypeError */
export function toFolder(root: string | URL, who: string): string {
  if (root instanceof URL) return fileURLToPath(root)
  if (typeof root !== 'string' || root === '' || root.includes('\0'))
    throw new TypeError(`${who} needs a root: the path of a folder, or a file: URL`)
  return resolve(root)
}
