/** A type that nothing has: the compiler reports a mistake by this message. */
export interface CompileError<Message extends string> {
  readonly 'type error': Message
}
