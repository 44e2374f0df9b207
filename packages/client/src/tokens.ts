import { fieldsOf } from './call-error.ts'

/**
 * Returns the token of the signed-in user, or null without one. `rejected`: the token that the server has rejected, or that is about to expire; return
 * another one then, or null.
 */
export type GetToken = (request: { readonly rejected: string | null }) => string | null | Promise<string | null>

/** Asks for a token once at a time, and keeps it. */
export class Tokens {
  readonly #getToken: GetToken | undefined
  #token: string | null | undefined
  #pending: Promise<string | null> | null = null

  constructor(getToken: GetToken | undefined) {
    this.#getToken = getToken
  }

  /** Is there a function that returns tokens? */
  get has(): boolean {
    return this.#getToken !== undefined
  }

  /** The token; another one than `rejected`, if there is one. */
  async get(rejected?: string | null): Promise<string | null> {
    if (this.#token !== undefined && this.#token !== rejected) return this.#token
    this.#pending ??= (async () => this.#getToken?.({ rejected: rejected ?? null }) ?? null)()
    const pending = this.#pending
    try {
      const token = await pending
      if (this.#pending === pending) this.#token = token
      return token
    } finally {
      // A failure is that of those who wait.
      if (this.#pending === pending) this.#pending = null
    }
  }

  /** The next one asks again, also while an earlier question has no answer. */
  forget(): void {
    this.#token = undefined
    this.#pending = null
  }
}

/** Who a JSON Web Token is for, unverified; null for another kind of token. Only to notice that it is another user. */
export function subjectOf(token: string | null): string | null {
  try {
    const payload = String(token?.split('.')[1]).replaceAll('-', '+').replaceAll('_', '/')
    return String(fieldsOf(JSON.parse(atob(payload))).sub)
  } catch {
    return null
  }
}
