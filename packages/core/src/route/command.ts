import type { MaybePromise } from '../base/maybe-promise.ts'

/**
 * A business operation. It knows repositories and other commands; it knows no socket, no HTTP and no call, so that both
 * wires, a job and a test run it alike. A failure that the caller should see is thrown as an AppError.
 *
 * @example
 * class GreetCommand extends BaseCommand<{ name: string }, string> {
 *   execute(input: { name: string }): string {
 *     return `Hello ${input.name}`
 *   }
 * }
 */
export abstract class BaseCommand<in Input, out Output> {
  /** Never set: carries the type. A method alone would let a command pass that wants more than it is given. */
  declare readonly '~takes'?: (input: Input) => void
  abstract execute(input: Input): MaybePromise<Output>
}
