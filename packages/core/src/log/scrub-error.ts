/** What an error says, without the values that a database driver puts into it. */
interface ScrubbedError {
  readonly message: string
  readonly stack: string
  /** Its own members, less those that hold values of a statement. */
  readonly own: Readonly<Record<string, unknown>>
}

/** Members of drizzle's and postgres.js's errors that hold the values of a statement. */
const statementValues = new Set(['params', 'parameters', 'args'])
const spoken = new Set(['name', 'message', 'stack', 'cause', 'errors'])

/**
 * Drizzle writes the parameters of a failed statement into its message, PostgreSQL the values of a row into its detail:
 * what stands there may be anybody's data.
 */
export function scrubError(error: Error): ScrubbedError {
  const own: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(error)) {
    if (spoken.has(key)) continue
    const value: unknown = Reflect.get(error, key)
    if (statementValues.has(key)) own[key] = '[REDACTED]'
    else own[key] = key === 'detail' && typeof value === 'string' ? scrubDetail(value) : value
  }
  const message = String(error.message)
  const scrubbed = scrubParams(message)
  const stack = String(error.stack ?? '')
  // The stack begins with the message, which may have any number of lines.
  return { message: scrubbed, stack: scrubbed === message ? stack : stack.replace(message, () => scrubbed), own }
}

/** `Failed query: insert … values ($1)\nparams: Ursula`; the values come last, and may have line breaks. */
function scrubParams(message: string): string {
  const at = message.indexOf('\nparams: ')
  return at === -1 ? message : `${message.slice(0, at)}\nparams: [REDACTED]`
}

/** `Key (name)=(Ursula) already exists.`, `Failing row contains (1, Ursula).` */
function scrubDetail(detail: string): string {
  return detail.replace(/(\)=|contains )\(.*\)/s, '$1([REDACTED])')
}
