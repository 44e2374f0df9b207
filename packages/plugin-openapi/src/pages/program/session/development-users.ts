import { fieldsOf, listOf, numberOf, stringsOf, textOf } from '../model/json.ts'
import type { Operation } from '../model/model.ts'

export interface DevelopmentUser {
  readonly username: string
  readonly roles: readonly string[]
}

/** Users that anyone at this machine may be, offered by the app itself in development. */
export interface DevelopmentUsers {
  readonly users: readonly DevelopmentUser[]
  /** A new token. Rejects with a message for people. */
  token(username: string, seconds: number): Promise<string>
}

const list = 'GET /development/users'
const issue = 'POST /development/token'

/** Null if the app does not describe them. */
export async function findDevelopmentUsers(
  root: string,
  operations: readonly Operation[],
): Promise<DevelopmentUsers | null> {
  if (![list, issue].every((each) => operations.some(({ http }) => http === each))) return null
  const { users } = await request(`${root}/development/users`, {})
  return {
    users: listOf(users).map((each) => {
      const { username, roles } = fieldsOf(each)
      return { username: textOf(username), roles: stringsOf(roles) }
    }),
    async token(username, seconds) {
      const { token, expires_in } = await request(`${root}/development/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username, seconds }),
      })
      if (typeof token !== 'string' || numberOf(expires_in) === null) throw new Error('The app sent no token')
      return token
    },
  }
}

async function request(url: string, init: RequestInit): Promise<ReturnType<typeof fieldsOf>> {
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`${new URL(url).pathname} is answered with ${response.status}`)
  return fieldsOf(await response.json())
}
