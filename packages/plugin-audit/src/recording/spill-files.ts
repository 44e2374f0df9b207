import { createReadStream } from 'node:fs'
import { type FileHandle, lstat, mkdir, readdir, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { BootError, type Clock, type Logger } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'
import type { AuditInstruments } from './instruments.ts'
import type { Row } from './row.ts'
import { countLines, isMissing, openNew, outcomeOf } from './spill-file.ts'
import { SpillOwner } from './spill-owner.ts'

/** How often files of other processes are looked for, and read again after a failure. */
const searchMs = 30_000
const retryMs = 2000

export interface SpillFilesOptions {
  readonly folder: string
  readonly maxBytes: number
  readonly batchSize: number
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: AuditInstruments
  /** Removes rows from the list as they are stored; rejects when the database cannot be reached. */
  readonly store: (rows: Row[]) => Promise<void>
  /** Rows that could not be written to a file. */
  readonly lost: (rows: number) => void
}

/** Ends of lines for readline (since Node 24), but not for JSON. */
const lineSeparators = /[\u2028\u2029]/g

/** A file that nothing is added to any more. */
interface ClosedFile {
  readonly path: string
  readonly bytes: number
  rows: number
  /** What is before it has been stored. */
  offset: number
}

interface ActiveFile {
  readonly path: string
  readonly handle: FileHandle
  bytes: number
  rows: number
}

/**
 * Rows in files, one a line, until the database takes them. Each process has its own; those of a process that has ended are taken over by
 * renaming them, which only one can do.
 */
export class SpillFiles {
  readonly #options: SpillFilesOptions
  readonly #owner: SpillOwner
  /** Not written yet. */
  #pending: Row[] = []
  #bytes = 0
  #active: ActiveFile | null = null
  readonly #closed: ClosedFile[] = []
  #appending: Promise<void> | null = null
  #reading: Promise<void> | null = null
  #timer: Timer | null = null
  #isClosing = false

  private constructor(options: SpillFilesOptions, owner: SpillOwner) {
    this.#options = options
    this.#owner = owner
    options.instruments.spilled.readFrom(() => this.rows)
  }

  /** @throws BootError `bad_option` when the folder cannot be used. */
  static async open(options: SpillFilesOptions): Promise<SpillFiles> {
    const files = new SpillFiles(options, await SpillOwner.create())
    try {
      await mkdir(options.folder, { recursive: true, mode: 0o700 })
      const probe = join(options.folder, files.#owner.nextName())
      await (await openNew(probe)).close()
      await unlink(probe)
    } catch (error) {
      files.#owner.close()
      throw new BootError(
        'bad_option',
        `audit(): spillFolder must be a folder that this process may write, received '${options.folder}': ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      )
    }
    await files.#takeOver(true)
    files.#search()
    return files
  }

  /** That wait in files, or to be written to one. */
  get rows(): number {
    return this.#closed.reduce((sum, { rows }) => sum + rows, this.#pending.length + (this.#active?.rows ?? 0))
  }

  /** False when it does not fit. */
  add(row: Row): boolean {
    const line = { ...row, json: row.json.replace(lineSeparators, (each) => `\\u${each.charCodeAt(0).toString(16)}`) }
    const length = Buffer.byteLength(line.json) + 1
    if (this.#bytes + length > this.#options.maxBytes) return false
    this.#bytes += length
    this.#pending.push(line)
    this.#appending ??= this.#append().finally(() => {
      this.#appending = null
    })
    return true
  }

  /** Stores what is in the files, in the background; does nothing while that is being done. */
  readBack(): void {
    if (this.#isClosing || this.rows === 0) return
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null
    })
  }

  /** Once nothing is added any more. Files that were not read are those of the next process. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#timer?.cancel()
    await this.#appending
    await this.#active?.handle.close()
    this.#owner.close()
  }

  async #append(): Promise<void> {
    const { lost, instruments, log } = this.#options
    while (this.#pending.length > 0) {
      let taken: { readonly text: string; readonly rows: number } | null = null
      try {
        this.#active ??= await this.#openActive()
        taken = this.#takePending()
        // Counted first: what a failure leaves of them is read, too.
        this.#active.rows += taken.rows
        this.#active.bytes += Buffer.byteLength(taken.text)
        await this.#active.handle.appendFile(taken.text)
      } catch (error) {
        const { text, rows } = taken ?? this.#takePending()
        if (this.#active === null) this.#bytes -= Buffer.byteLength(text)
        else await this.#abandonActive(this.#active, rows)
        instruments.errors.spill.inc()
        lost(rows)
        log.error({ err: error }, 'Rows of the audit log could not be written to a file')
      }
    }
  }

  #takePending(): { readonly text: string; readonly rows: number } {
    const rows = this.#pending
    this.#pending = []
    return { text: rows.map(({ json }) => `${json}\n`).join(''), rows: rows.length }
  }

  async #openActive(): Promise<ActiveFile> {
    const path = join(this.#options.folder, this.#owner.nextName())
    return { path, handle: await openNew(path), bytes: 0, rows: 0 }
  }

  async #readAll(): Promise<void> {
    const { log } = this.#options
    try {
      await this.#finishActive()
      for (let file = this.#closed[0]; file !== undefined && !this.#isClosing; file = this.#closed[0]) {
        const rows = file.rows
        try {
          await this.#read(file)
          if (this.#isClosing) return
          await unlink(file.path)
          log.info({ rows }, 'Rows of the audit log were stored from a file')
        } catch (error) {
          if (!isMissing(error)) throw error
          this.#missing(file)
        }
        this.#closed.shift()
        this.#bytes -= file.bytes
      }
    } catch (error) {
      log.warn({ err: error }, 'Rows of the audit log could not be stored from a file yet')
      this.#timer?.cancel()
      this.#timer = this.#options.clock.timer(retryMs, () => {
        this.#search()
        this.readBack()
      })
    }
  }

  /** It was removed: those behind it must not wait for it. */
  #missing({ path, rows }: ClosedFile): void {
    const { lost, instruments, log } = this.#options
    instruments.errors.spill.inc()
    lost(rows)
    log.error({ file: path, rows }, 'A file of the audit log was removed before its rows were stored: they are lost')
  }

  /** What comes next goes to another file. */
  async #finishActive(): Promise<void> {
    await this.#appending
    if (this.#active !== null) await this.#closeActive(this.#active)
  }

  /** It may end within a line: the next row must not continue it. */
  async #abandonActive(active: ActiveFile, lostRows: number): Promise<void> {
    active.rows -= lostRows
    const failed = (error: unknown): void => this.#options.log.error({ err: error }, 'A spill file could not be closed')
    await this.#closeActive(active).catch(failed)
  }

  async #closeActive({ path, handle, bytes, rows }: ActiveFile): Promise<void> {
    this.#active = null
    this.#closed.push({ path, bytes, rows, offset: 0 })
    await handle.close()
  }

  async #read(file: ClosedFile): Promise<void> {
    const { store, batchSize } = this.#options
    let rows: Row[] = []
    let bytes = 0
    const flush = async (): Promise<void> => {
      const count = rows.length
      await store(rows)
      file.offset += bytes
      file.rows = Math.max(0, file.rows - count)
      rows = []
      bytes = 0
    }
    const input = createReadStream(file.path, { start: file.offset })
    try {
      for await (const line of createInterface({ input, crlfDelay: 0 })) {
        bytes += Buffer.byteLength(line) + 1
        const row = this.#parse(line)
        if (row !== null) rows.push(row)
        if (rows.length >= batchSize) await flush()
        if (this.#isClosing) return
      }
      await flush()
    } finally {
      input.destroy()
    }
  }

  /** Null, and counted, for what a process that ended has left half-written. */
  #parse(line: string): Row | null {
    if (line === '') return null
    const outcome = outcomeOf(line)
    if (outcome !== null) return { json: line, outcome }
    this.#options.instruments.errors.spill.inc()
    this.#options.log.warn('A line of a file of the audit log is not a row, and is left out')
    return null
  }

  #search(): void {
    this.#timer?.cancel()
    if (this.#isClosing) return
    this.#timer = this.#options.clock.timer(searchMs, () => {
      void this.#takeOver(false).then(() => {
        this.#search()
        this.readBack()
      })
    })
  }

  /** Files of processes of this host that have ended. */
  async #takeOver(isFirst: boolean): Promise<void> {
    const { folder, log, instruments } = this.#options
    try {
      for (const name of await readdir(folder)) {
        const state = await this.#owner.findState(name)
        if (state === 'foreign' && isFirst)
          log.warn({ file: name }, 'A file of the audit log is of another host, and is left for it')
        if (state === 'ended') await this.#claim(join(folder, name))
      }
    } catch (error) {
      instruments.errors.spill.inc()
      log.error({ err: error }, 'The folder of the audit log could not be read')
    }
  }

  async #claim(from: string): Promise<void> {
    const { folder, log } = this.#options
    const path = join(folder, this.#owner.nextName())
    try {
      const found = await lstat(from)
      if (!found.isFile() || found.uid !== (process.getuid?.() ?? found.uid)) return
      await rename(from, path)
      const { size } = await lstat(path)
      const rows = await countLines(path)
      this.#closed.push({ path, bytes: size, rows, offset: 0 })
      this.#bytes += size
      log.info({ rows }, 'A file of the audit log of a process that has ended is taken over')
    } catch (error) {
      // Another process was faster.
      if (isMissing(error)) return
      throw error
    }
  }
}
