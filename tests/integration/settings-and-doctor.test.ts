import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface End {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<End> {
  // As a clone has it: pnpm, which runs these tests, sets NODE_PATH, and every package is found from everywhere then.
  const clone = { NODE_PATH: undefined, NODE_ENV: '', ENV: '', PORT: '', DATABASE_URL: '', REDIS_URL: '' }
  const env = { ...process.env, ...clone, ...variables }
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

test('the table of settings is what the declarations say', async () => {
  const table = ['--conditions=@twinwire/source', '--import', 'tsx', 'scripts/tables.mjs', '--check']
  expect(await run(table)).toMatchObject({ code: 0, stderr: '' })
})

test('the doctor of the example prints a line for each finding, and starts nothing', async () => {
  const { code, stdout, stderr } = await run(['scripts/doctor.mjs'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^ok {5}node +Node /m)
  expect(stdout).toMatch(/^ok {5}peer prom-client +prom-client \S+ satisfies \^15/m)
  expect(stdout).toMatch(/^ok {5}database +The database is embedded \(PGlite\)$/m)
  expect(
    stdout
      .trim()
      .split('\n')
      .every((line) => /^(ok|warn|error) +\S/.test(line)),
  ).toBe(true)
})

test('the doctor of the example ends with 1 where something is wrong, and prints JSON', async () => {
  const keycloak = {
    KEYCLOAK_BASE_URL: 'https://sso.example.com',
    KEYCLOAK_REALM: 'app',
    KEYCLOAK_CLIENT_ID: 'authors',
    METRICS_NETWORKS: '["10.0.0.0/8"]',
    REDIS_URL: 'redis://127.0.0.1:6379/1',
  }
  const variables = { ENV: 'production', ALLOWED_HOSTS: '["*"]', DATABASE_URL: 'pglite://memory', ...keycloak }
  const { code, stdout } = await run(['scripts/doctor.mjs', '--json'], variables)
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    findings: expect.arrayContaining([
      expect.objectContaining({ check: 'hosts', level: 'warn' }),
      expect.objectContaining({ check: 'database', level: 'error' }),
    ]),
  })
})
