// Assertions for code that runs in any host.
import { CallError } from '@twinwire/client'

/** The error of a call that must fail. */
export async function rejected(call: Promise<unknown>): Promise<CallError> {
  const outcome = await call.then(
    (value) => new Error(`It was answered: ${text(value)}`),
    (error: unknown) => error,
  )
  if (outcome instanceof CallError) return outcome
  throw outcome
}

export function equal(actual: unknown, expected: unknown): void {
  if (text(actual) !== text(expected)) throw new Error(`It is ${text(actual)}, not ${text(expected)}`)
}

export function text(value: unknown): string {
  return JSON.stringify(value)
}

export async function post(url: string): Promise<void> {
  const response = await fetch(url, { method: 'POST' })
  await response.text()
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
}

export async function until(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = Date.now() + 15_000
  while (!(await isTrue())) {
    if (Date.now() > giveUpAt) throw new Error(`It did not happen: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
