/** An error without the values that a database driver adds to it. */
interface ScrubbedError {
  readonly message: string
  readonly stack: string
  /** Its own properties, with the values of a statement redacted. */
  readonly own: Readonly<Record<string, unknown>>
}

/** Properties of errors of drizzle and postgres.js that contain the values of a statement. */
const statementValues = new Set(['params', 'parameters', 'args'])
const standardKeys = new Set(['name', 'message', 'stack', 'cause', 'errors'])

/**
 * Drizzle adds the parameters of a failed statement to its message, and PostgreSQL adds values of a row to its detail: both may be
 * personal data.
 */
export function scrubError(error: Error): ScrubbedError {
  const own: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(error)) {
    if (standardKeys.has(key)) continue
    const value: unknown = Reflect.get(error, key)
    if (statementValues.has(key)) own[key] = '[REDACTED]'
    else own[key] = key === 'detail' && typeof value === 'string' ? scrubDetail(value) : value
  }
  const message = String(error.message)
  const scrubbed = scrubParams(message)
  const stack = String(error.stack ?? '')
  // The stack starts with the message, which may have several lines.
  return { message: scrubbed, stack: scrubbed === message ? stack : stack.replace(message, () => scrubbed), own }
}

/** `Failed query: insert … values ($1)\nparams: Ursula`; the values come last and may contain line breaks. */
function scrubParams(message: string): string {
  const at = message.indexOf('\nparams: ')
  return at === -1 ? message : `${message.slice(0, at)}\nparams: [REDACTED]`
}

/** `Key (name)=(Ursula) already exists.`, `Failing row contains (1, Ursula).` */
function scrubDetail(detail: string): string {
  return detail.replace(/(\)=|contains )\(.*\)/s, '$1([REDACTED])')
}
