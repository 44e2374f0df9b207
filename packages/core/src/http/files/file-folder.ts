import { UnavailableError } from '../../errors/app-error.ts'
import { chooseEncoding, type Encoding } from '../compression/accept-encoding.ts'
import { isCompressible } from '../compression/compressible.ts'
import { toContentType } from './content-type.ts'
import { readFully } from './file-source.ts'
import { formBytes, KeptFile } from './kept-file.ts'
import { type OpenFile, openBelow, readVersion } from './open-file.ts'
import { type FileMeta, settledMs } from './representation.ts'

/** How the files of a folder are kept and encoded. */
export interface FolderSettings {
  /** Encodings that are looked for beside a file. */
  readonly precompressed: readonly Encoding[]
  /** Files that are in memory are compressed where no neighbour is. */
  readonly compression: boolean
  /** Null: nothing is kept. */
  readonly memory: { readonly maxFileBytes: number; readonly maxBytes: number } | null
  readonly meta: (name: string) => FileMeta
}

/** A file that is too large, or was changed too recently, to be kept. */
export interface FoundFile {
  readonly name: string
  readonly file: OpenFile
  readonly meta: FileMeta
}

export type Found = KeptFile | FoundFile | 'directory' | null

/** How long a file in memory is sent without a look at the disk. */
const freshMs = 1000
/** A file that compresses well is kept up to here, since compressing it each time would cost more than sending it. */
const maxCompressedBytes = 1024 * 1024
const suffixes = { br: '.br', gzip: '.gz' } as const

/** The files below one real path, of which small ones are kept in memory. */
export class FileFolder {
  readonly #root: string
  readonly #settings: FolderSettings
  /** Those that have been there longest first. */
  readonly #kept = new Map<string, KeptFile>()
  readonly #loading = new Map<string, Promise<Found>>()
  #bytes = 0

  constructor(root: string, settings: FolderSettings) {
    this.#root = root
    this.#settings = settings
  }

  /** What is in memory and was compared with the disk within a second. */
  peek(name: string, nowMs: number): KeptFile | null {
    const kept = this.#kept.get(name)
    if (kept === undefined || !isFresh(kept, nowMs)) return null
    kept.wasUsed = true
    return kept
  }

  /** `name` was found servable. A file that is not kept is opened, and is to be closed by the caller. */
  async find(name: string, nowMs: number): Promise<Found> {
    const kept = this.#kept.get(name)
    if (kept !== undefined) {
      if (isFresh(kept, nowMs)) return kept
      kept.checking ??= this.#check(kept, nowMs)
      if (await kept.checking) return kept
    }
    // Those who ask at the same time read it once.
    const other = await this.#loading.get(name)
    if (other instanceof KeptFile) return other
    const loading = this.#load(name, nowMs)
    if (this.#loading.has(name)) return loading
    this.#loading.set(name, loading)
    try {
      return await loading
    } finally {
      this.#loading.delete(name)
    }
  }

  /** The form of a file that is not kept for a client: an encoded neighbour, which takes the place of the file, or the file itself. */
  async encoded(
    { name, file, meta }: FoundFile,
    acceptEncoding: string,
  ): Promise<{ readonly file: OpenFile; readonly encoding: Encoding | null }> {
    let available = meta.vary === null ? [] : this.#settings.precompressed
    try {
      while (available.length > 0) {
        const encoding = chooseEncoding(acceptEncoding, 'br', available)
        if (encoding === null) break
        const neighbour = await this.#openNeighbour(name, file, encoding)
        if (neighbour !== null) {
          await file.handle.close()
          return { file: neighbour, encoding }
        }
        available = available.filter((other) => other !== encoding)
      }
    } catch (error) {
      await file.handle.close()
      throw error
    }
    return { file, encoding: null }
  }

  /** Null for none, and for one that is older than the file or helps no client. */
  async #openNeighbour(name: string, file: OpenFile, encoding: Encoding): Promise<OpenFile | null> {
    const neighbour = await openBelow(this.#root, name + suffixes[encoding])
    if (neighbour === null || neighbour === 'directory') return null
    // Tools that copy the time of the file may leave out what is below a second.
    const isOlder = neighbour.mtimeNs / 1_000_000_000n < file.mtimeNs / 1_000_000_000n
    if (neighbour.size > 0 && neighbour.size < file.size && !isOlder) return neighbour
    await neighbour.handle.close()
    return null
  }

  async #check(kept: KeptFile, nowMs: number): Promise<boolean> {
    const version = await this.#version(kept.name)
    kept.checking = null
    kept.checkedMs = nowMs
    if (version === kept.version) return true
    this.#drop(kept)
    return false
  }

  /** Of a file and its neighbours, as long as they are below the root. */
  async #version(name: string): Promise<string> {
    const { precompressed } = this.#settings
    const neighbours = isCompressible(toContentType(name)) ? precompressed : []
    const names = [name, ...neighbours.map((encoding) => name + suffixes[encoding])]
    return (await Promise.all(names.map((each) => readVersion(this.#root, each)))).join(' ')
  }

  async #load(name: string, nowMs: number): Promise<Found> {
    const version = this.#settings.memory === null ? '' : await this.#version(name)
    const file = await openBelow(this.#root, name)
    if (file === null || file === 'directory') return file
    let isGiven = false
    try {
      const meta = this.#settings.meta(name)
      if (!this.#isKeepable(file, isCompressible(meta.contentType))) {
        isGiven = true
        return { name, file, meta }
      }
      const kept = await this.#read(name, version, file, meta, nowMs)
      // Of a file that is being changed nothing is kept but what this caller gets.
      if ((await this.#version(name)) === version) this.#keep(kept)
      return kept
    } finally {
      if (!isGiven) await file.handle.close()
    }
  }

  async #read(name: string, version: string, file: OpenFile, meta: FileMeta, nowMs: number): Promise<KeptFile> {
    const bytes = await readWhole(file)
    if (bytes === null) throw new UnavailableError('The file is being changed')
    const mayBeEncoded = isCompressible(meta.contentType)
    const compresses = mayBeEncoded && this.#settings.compression
    const kept: KeptFile = new KeptFile(name, version, file.mtimeNs, bytes, meta, compresses, nowMs, (more) =>
      this.#grew(kept, more),
    )
    if (mayBeEncoded)
      for (const encoding of this.#settings.precompressed) await this.#addNeighbour(kept, file, encoding)
    return kept
  }

  #isKeepable({ size, mtimeNs }: OpenFile, compresses: boolean): boolean {
    const { memory, compression } = this.#settings
    if (memory === null || Number(mtimeNs / 1_000_000n) > Date.now() - settledMs) return false
    const maxBytes =
      compresses && compression
        ? Math.max(memory.maxFileBytes, Math.min(maxCompressedBytes, memory.maxBytes))
        : memory.maxFileBytes
    return size > 0 && size <= maxBytes && size + formBytes <= memory.maxBytes
  }

  async #addNeighbour(kept: KeptFile, file: OpenFile, encoding: Encoding): Promise<void> {
    const neighbour = await this.#openNeighbour(kept.name, file, encoding)
    if (neighbour === null) return
    try {
      const bytes = await readWhole(neighbour)
      if (bytes !== null) kept.addNeighbour(encoding, bytes, neighbour.mtimeNs)
    } finally {
      await neighbour.handle.close()
    }
  }

  #keep(kept: KeptFile): void {
    const before = this.#kept.get(kept.name)
    if (before !== undefined) this.#drop(before)
    this.#kept.set(kept.name, kept)
    this.#grew(kept, kept.bytes)
  }

  #drop(kept: KeptFile): void {
    if (this.#kept.get(kept.name) !== kept) return
    this.#kept.delete(kept.name)
    this.#bytes -= kept.bytes
  }

  /** What was not used since the last time goes first. */
  #grew(kept: KeptFile, bytes: number): void {
    if (this.#kept.get(kept.name) !== kept) return
    this.#bytes += bytes
    const maxBytes = this.#settings.memory?.maxBytes ?? 0
    while (this.#bytes > maxBytes) {
      const [oldest] = this.#kept.values()
      if (oldest === undefined) return
      if (oldest.wasUsed && this.#kept.size > 1) {
        oldest.wasUsed = false
        this.#kept.delete(oldest.name)
        this.#kept.set(oldest.name, oldest)
      } else this.#drop(oldest)
    }
  }
}

/** The clock of another app may be behind. */
function isFresh({ checkedMs }: KeptFile, nowMs: number): boolean {
  return nowMs - checkedMs < freshMs && nowMs >= checkedMs
}

/** Null: it became shorter. */
function readWhole({ handle, size }: OpenFile): Promise<Uint8Array | null> {
  return readFully(handle, Buffer.allocUnsafeSlow(size), size, 0)
}
