/** What was typed cannot be done: the message says what to change. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}
