import type { MaybePromise } from '../base/maybe-promise.ts'

/**
 * A business operation. It uses repositories and other commands. It does not depend on sockets, HTTP or a call, so that both
 * wires, a job and a test run it in the same way. A failure that the caller should see is thrown as an AppError.
 *
 * @example
 * class GreetCommand extends BaseCommand<{ name: string }, string> {
 *   execute(input: { name: string }): string {
 *     return `Hello ${input.name}`
 *   }
 * }
 */
export abstract class BaseCommand<in Input, out Output> {
  /** Never set: carries the type. With the method alone a command would be accepted that requires more than it gets. */
  declare readonly '~takes'?: (input: Input) => void
  abstract execute(input: Input): MaybePromise<Output>
}
