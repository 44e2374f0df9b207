/** A type that no value has: the compiler reports an error with this message. */
export interface CompileError<Message extends string> {
  readonly 'type error': Message
}
