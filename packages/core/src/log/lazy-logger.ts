import { type Logger, type LogLevel, logLevels } from '../base/logger.ts'
import { redactFields } from './redact.ts'

interface LazyLoggerOptions {
  readonly level: LogLevel | 'silent'
  /** Fields of every line, redacted. */
  readonly bindings: Readonly<Record<string, unknown>>
  /** Loads the library and creates its logger. */
  readonly open: () => Logger
  /** Writes a line when the library cannot be loaded. */
  readonly writeWithout: (line: string) => void
}

const ranks: ReadonlyMap<string, number> = new Map(logLevels.map((level, rank) => [level, rank]))

/**
 * A logger whose library is loaded with the first line that is written: it takes a fifth of the start of an app that logs errors only, and
 * as much of its memory. The first line may be written when the process has no file descriptor left to load anything: then lines are
 * written without the library, until it can be loaded.
 */
export class LazyLogger implements Logger {
  readonly #options: LazyLoggerOptions
  readonly #rank: number
  #logger: Logger | null = null

  constructor(options: LazyLoggerOptions) {
    this.#options = options
    this.#rank = ranks.get(options.level) ?? Number.POSITIVE_INFINITY
  }

  trace(first: object | string, message?: string): void {
    this.#write('trace', first, message)
  }
  debug(first: object | string, message?: string): void {
    this.#write('debug', first, message)
  }
  info(first: object | string, message?: string): void {
    this.#write('info', first, message)
  }
  warn(first: object | string, message?: string): void {
    this.#write('warn', first, message)
  }
  error(first: object | string, message?: string): void {
    this.#write('error', first, message)
  }
  fatal(first: object | string, message?: string): void {
    this.#write('fatal', first, message)
  }

  isLevelEnabled(level: LogLevel): boolean {
    return (ranks.get(level) ?? -1) >= this.#rank
  }

  child(fields: Record<string, unknown>): Logger {
    // A copy: what the caller changes later is not part of it. The library does not redact the fields of a child.
    const own = { ...redactFields(fields) }
    const bindings = { ...this.#options.bindings, ...own }
    return new LazyLogger({ ...this.#options, bindings, open: () => this.#open().child(own) })
  }

  #open(): Logger {
    this.#logger ??= this.#options.open()
    return this.#logger
  }

  #write(level: LogLevel, first: object | string, message: string | undefined): void {
    if (!this.isLevelEnabled(level)) return
    let logger: Logger
    try {
      logger = this.#open()
    } catch (error) {
      this.#writeWithout(level, first, message, error)
      return
    }
    if (typeof first === 'string') logger[level](first)
    else logger[level](first, message)
  }

  #writeWithout(level: LogLevel, first: object | string, message: string | undefined, reason: unknown): void {
    const { bindings, writeWithout } = this.#options
    const fields = typeof first === 'string' ? {} : redactFields(first)
    const text = typeof first === 'string' ? first : (message ?? (first instanceof Error ? first.message : undefined))
    const head = { level, time: new Date().toISOString() }
    writeWithout(`${JSON.stringify({ ...head, ...bindings, ...fields, msg: text, log_error: String(reason) })}\n`)
  }
}
