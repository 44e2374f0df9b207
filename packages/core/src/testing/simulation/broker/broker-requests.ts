import { UnavailableError } from '../../../errors/app-error.ts'

/** Something that can happen now. */
export interface Step {
  readonly what: string
  run(): void
}

interface Request {
  readonly what: string
  /** Those of one order are executed in the order in which they were made. */
  readonly order: string | null
  /** What the server does. */
  readonly execute: () => void
  /** Null: not executed. */
  executed: boolean
  readonly answer: () => void
  readonly fail: (error: Error) => void
}

/** What a node asks of the server: each is executed at one time, and answered at a later one. */
export class Requests {
  readonly #open = new Set<Request>()
  readonly #changed: () => void

  constructor(changed: () => void) {
    this.#changed = changed
  }

  add<T>(
    what: string,
    order: string | null,
    execute: () => T,
    hooks: { readonly answered?: () => void; readonly failed?: () => void } = {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      let answer = (): void => {}
      const request: Request = {
        what,
        order,
        executed: false,
        execute: () => {
          const value = execute()
          answer = () => resolve(value)
        },
        answer: () => {
          hooks.answered?.()
          answer()
        },
        fail: (error) => {
          hooks.failed?.()
          reject(error)
        },
      }
      this.#open.add(request)
      this.#changed()
    })
  }

  steps(isCut: boolean): Step[] {
    const steps: Step[] = []
    const orders = new Set<string>()
    for (const request of this.#open) {
      const { what, order, executed } = request
      // With a cut connection it does not know whether the server has executed it.
      if (isCut) steps.push({ what: `fail ${what}`, run: () => this.#fail(request) })
      else if (executed) steps.push({ what: `answer ${what}`, run: () => this.#answer(request) })
      else if (order === null || !orders.has(order))
        steps.push({ what: `execute ${what}`, run: () => this.#execute(request) })
      if (order !== null && !executed) orders.add(order)
    }
    return steps
  }

  /** All of them, in their order. */
  finish(): void {
    for (const request of this.#open) {
      if (!request.executed) this.#execute(request)
      this.#answer(request)
    }
  }

  /** None is ever answered. */
  drop(): void {
    this.#open.clear()
  }

  #execute(request: Request): void {
    if (!this.#open.has(request) || request.executed) return
    request.executed = true
    request.execute()
    this.#changed()
  }
  #answer(request: Request): void {
    if (this.#open.delete(request)) request.answer()
    this.#changed()
  }
  #fail(request: Request): void {
    if (this.#open.delete(request)) request.fail(new UnavailableError('The broker cannot be reached'))
    this.#changed()
  }
}
