import { bootErrorCodes, type CoreBootErrorCode } from './boot-error-codes.ts'
import { createDocsLinks, type DocsLinks, ofPlugin, toAddress } from './docs-links.ts'

/** Why an application does not start: a code of core, or of a plugin or an application under a namespace (`ratelimit.unknown_store`). */
export type BootErrorCode = CoreBootErrorCode | `${string}.${string}`

interface BootErrorOptions {
  readonly cause?: unknown
  /** Address about the code, with its anchor: `https://billing.example/errors#unknown_provider`. One that is not absolute is below `DOCS_URL`. */
  readonly docs?: string
}

let setDocs: (error: BootError, find: (page: string | null) => string | null) => void

/**
 * The application cannot start because of its code or configuration. The message says what to change. Where the error is printed with its
 * stack, as by Node.js for one that nothing catches, `docs` follows the message.
 *
 * @example
 * throw new BootError('billing.unknown_provider', `billing(): provider '${name}' is not known: use one of ${known.join(', ')}`)
 */
export class BootError extends Error {
  override readonly name = 'BootError'
  readonly code: BootErrorCode
  readonly #page: string | null
  #docs: string | null = null

  constructor(code: BootErrorCode, message: string, options?: BootErrorOptions) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.#page = options?.docs ?? (Object.hasOwn(bootErrorCodes, code) ? `boot-errors#${code}` : null)
    setDocs(this, (page) => (page === null ? null : toAddress(page, createDocsLinks())))
  }

  /** The address of what the documentation says about `code`; null where there is none, or links are off. */
  get docs(): string | null {
    return this.#docs
  }

  static {
    setDocs = (error, find) => {
      const before = toShownMessage(error)
      error.#docs = find(error.#page)
      const after = toShownMessage(error)
      if (after !== before && error.stack !== undefined) error.stack = error.stack.replace(before, () => after)
    }
  }
}

/** What a person is shown of a boot error, without its stack: the message, and the address about its code. */
export function toShownMessage({ message, docs }: BootError): string {
  return docs === null ? message : `${message} (${docs})`
}

/** The same promise, whose boot error is linked by the addresses of its app. */
export async function linked<T>(work: Promise<T>, links: DocsLinks): Promise<T> {
  try {
    return await work
  } catch (error) {
    linkBootError(error, links)
    throw error
  }
}

/** The same error, with the link that it had in another process. */
export function withDocs(error: BootError, docs: string | null): BootError {
  setDocs(error, () => docs)
  return error
}

/** Links an error of an app by the addresses of that app. Anything else is left as it is. */
export function linkBootError(error: unknown, links: DocsLinks): void {
  if (error instanceof BootError)
    setDocs(error, (page) => (page === null ? ofPlugin(error.code, links) : toAddress(page, links)))
}
