import { realpath } from 'node:fs/promises'
import type { ActiveCall } from '../../call/active-call.ts'
import type { FileResult } from '../../call/file-result.ts'
import type { FileReplyResult } from '../../call/reply.ts'
import { NotFoundError } from '../../errors/app-error.ts'
import { lastHeader } from './conditions.ts'
import { toContentType } from './content-type.ts'
import type { FileFinder, FileRequest, ReadyAnswer } from './file-answer.ts'
import { chooseDisposition, defaultCacheControl } from './file-meta.ts'
import { isServable } from './file-name.ts'
import { openBelow } from './open-file.ts'
import { readyOpened } from './opened-file.ts'
import { Representation } from './representation.ts'
import { StaticFile } from './static-file.ts'

/** `status`: one that the route or the handler chose. */
export function toFinder(reply: FileReplyResult, status: number | null): FileFinder {
  return reply instanceof StaticFile ? reply : new ReplyFile(reply.value, status)
}

/** The file of `reply.file`. Nothing of it is kept. */
class ReplyFile implements FileFinder {
  readonly #file: FileResult
  readonly #status: number | null

  constructor(file: FileResult, status: number | null) {
    this.#file = file
    this.#status = status
  }

  peek(): null {
    return null
  }

  async find(request: FileRequest, call: ActiveCall): Promise<ReadyAnswer> {
    const { root, name, inline, filename, cacheControl, contentType: type } = this.#file
    if (!isServable(name)) throw new NotFoundError()
    // A root that does not exist is an error of the app.
    const file = await openBelow(await realpath(root), name)
    if (file === null || file === 'directory') throw new NotFoundError()
    const contentType = type ?? toContentType(name)
    // What is saved is decided by the type that the browser gets.
    const sentType = lastHeader(call.addedHeaders?.entries() ?? [], 'content-type') ?? contentType
    const meta = {
      contentType,
      cacheControl: cacheControl ?? defaultCacheControl(call.route.access === 'public'),
      disposition: chooseDisposition(sentType, name, filename, inline),
      vary: null,
    }
    return readyOpened(request, call, file, new Representation(file, meta, null, file.size), this.#status)
  }
}
