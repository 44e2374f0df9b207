/** What a client has sent to PostgreSQL: the SQL of each statement, prepared or not, in order. */
export class StatementLog {
  readonly statements: string[] = []
  readonly #prepared = new Map<string, string>()

  /** Whole messages, as a proxy gets them from a client that writes each in one piece. */
  read(bytes: Buffer): void {
    for (let at = 0; at + 5 <= bytes.length; ) {
      const type = bytes[at] ?? 0
      // The messages that begin a connection have a length and no type.
      if (type === 0) {
        at += bytes.readInt32BE(at)
        continue
      }
      const end = at + 1 + bytes.readInt32BE(at + 1)
      const [first = '', second = ''] = bytes.toString('utf8', at + 5, end).split('\0', 2)
      // Parse has a name and SQL, Bind a portal and that name, Query SQL alone: BEGIN, COMMIT.
      if (type === code('P')) this.#prepared.set(first, second)
      else if (type === code('B')) this.statements.push(this.#prepared.get(second) ?? `unknown statement ${second}`)
      else if (type === code('Q')) this.statements.push(first)
      at = end
    }
  }

  /** From the last BEGIN before a statement with `text` to the COMMIT behind it; null while there is none. */
  transactionWith(text: string): readonly string[] | null {
    const at = this.statements.findIndex((statement) => statement.includes(text))
    const from = this.statements.findLastIndex((statement, i) => i < at && /^begin/i.test(statement))
    const to = this.statements.findIndex((statement, i) => i > at && /^commit/i.test(statement))
    return at < 0 || from < 0 || to < 0 ? null : this.statements.slice(from, to + 1)
  }
}

function code(type: string): number {
  return type.charCodeAt(0)
}
