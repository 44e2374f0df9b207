/** Where a command reads and writes. */
export interface Terminal {
  readonly stdin: AsyncIterable<Uint8Array | string>
  out(text: string): void
  err(text: string): void
}

export interface Command {
  /** Of `twinwire … --help`. */
  readonly help: string
  /** The exit code. Throws a UsageError for arguments that are wrong. */
  run(args: readonly string[], terminal: Terminal): Promise<number>
}
