import type { Generation } from '../generation.ts'
import type { Import } from '../source/imports.ts'

/** What the tests of a route need of the project: its users, its database. */
export interface TestParts {
  readonly imports: readonly Import[]
  /** Lines above the suite, each with a line break. */
  readonly setup: string
  /** Elements of `plugins`. */
  readonly plugins: readonly string[]
  /** Argument of `client()`: a user with all roles. */
  readonly user: string
  /** The same, of a user without roles; null where none are required. */
  readonly stranger: string | null
}

/** `usesDatabase`: the routes under test do. */
export function toTestParts(generation: Generation, usesDatabase: boolean): TestParts {
  const [database, users] = [usesDatabase ? databaseParts(generation) : none, userParts(generation)]
  const hooks = ['afterEach', 'describe', 'expect', 'it']
  return {
    imports: [['vitest', ...hooks], ['@twinwire/core/testing', 'onTransports'], ...database.imports, ...users.imports],
    setup: [database.setup, users.setup].filter((part) => part !== '').join('\n'),
    plugins: [...database.plugins, ...users.plugins],
    user: users.user,
    stranger: users.stranger,
  }
}

const none: TestParts = { imports: [], setup: '', plugins: [], user: '', stranger: null }

export function databaseParts(generation: Generation): TestParts {
  const migrations = generation.up(generation.paths.migrations)
  return {
    ...none,
    imports: [
      ['@twinwire/core/database/testing', 'createTestDatabase'],
      ['vitest', 'afterAll', 'beforeEach'],
    ],
    setup: `const database = await createTestDatabase({ migrations: new URL('${migrations}', import.meta.url) })
beforeEach(() => database.reset())
afterAll(() => database.close())
`,
    plugins: ['database.plugin'],
  }
}

function userParts({ options, model }: Generation): TestParts {
  if (options.roles.length > 0) {
    const roles = options.roles.map((role) => `'${role}'`).join(', ')
    return {
      imports: [
        ['@twinwire/plugin-auth', 'auth'],
        ['@twinwire/plugin-auth/testing', 'createTestIssuer'],
        ['vitest', 'afterAll'],
      ],
      setup: `const issuer = await createTestIssuer()
afterAll(() => issuer.stop())
const signedInAs = (...roles: string[]) => ({
  headers: { authorization: \`Bearer \${issuer.token({ username: 'ann', roles })}\` },
})
`,
      plugins: ['auth({ issuer: issuer.issuer, audience: issuer.clientId, clientId: issuer.clientId })'],
      user: `signedInAs(${roles})`,
      stranger: 'signedInAs()',
    }
  }
  if (!model.hasRoles) return none
  // Every route that is not public needs a user.
  return {
    ...none,
    imports: [['@twinwire/core/testing', 'fakeIdentity']],
    plugins: ['fakeIdentity()'],
    user: "{ headers: { authorization: 'Bearer ann' } }",
  }
}

/** `name: [a, b],` or nothing. */
export const toListLine = (name: string, elements: readonly string[], indent: string): string =>
  elements.length === 0 ? '' : `${indent}${name}: [${elements.join(', ')}],\n`
