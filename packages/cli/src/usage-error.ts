/** What was typed is not a command: the message says what to change. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}
