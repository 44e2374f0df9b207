/**
 * One file of a multipart body, as `call.files` gives it. It is read once, and only until the next file is requested or the call ends: what
 * was not read by then is skipped. Reading throws `payload_too_large` for a file over `maxFileBytes`, `validation_error` for a body that is
 * broken or ends early, and the reason of `call.signal` when the client disconnects.
 *
 * @example
 * for await (const file of call.files) {
 *   for await (const chunk of file) hash.update(chunk)
 * }
 */
export interface MultipartFile extends AsyncIterable<Uint8Array> {
  /** The name of the form's field. */
  readonly field: string
  /**
   * The name that the client gives the file, for people to read, never a path. Directories and control characters are removed, and `:` is replaced by `_`. It may be
   * any name, also one that exists already: choose your own for what you store. Null when the client sent none, or nothing of it is left.
   */
  readonly filename: string | null
  /** As the client says, in lower case and without parameters: nothing has looked at the bytes. `text/plain` when it says nothing. */
  readonly contentType: string
  /** The whole file. `payload_too_large` when it has more than `maxBytes`. */
  bytes(options?: ReadFileOptions): Promise<Uint8Array>
  /** The whole file, decoded by the `charset` of its content type, else as UTF-8. `validation_error` when it is not valid text. */
  text(options?: ReadFileOptions): Promise<string>
  /** Writes the file into a directory of its own below the system's directory for temporary files, which is removed when the call ends. */
  toTemporaryFile(): Promise<TemporaryFile>
}

export interface ReadFileOptions {
  /** Most bytes that are held in memory. Default: `files.maxFileBytes` of the route. */
  readonly maxBytes?: number
}

/** A file on disk, until its call ends, in whatever way: copy or move it to keep it. Only the user of the process may read it. */
export interface TemporaryFile {
  /** Absolute. No part of it comes from the client. */
  readonly path: string
  readonly bytes: number
}

/** The limits of one route, with defaults. */
export interface MultipartLimits {
  readonly maxParts: number
  readonly maxFiles: number
  readonly maxFields: number
  readonly maxNameBytes: number
  readonly maxFieldBytes: number
  readonly maxFileBytes: number
}
