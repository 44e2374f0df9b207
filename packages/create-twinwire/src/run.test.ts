import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readWorkspaceVersions } from '../workspace-versions.ts'
import { run, type Surroundings } from './run.ts'

let parent = ''
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'create-twinwire-'))
})
afterEach(() => rm(parent, { recursive: true, force: true }))

async function play(args: readonly string[], more: Partial<Surroundings> = {}) {
  const printed = { out: '', err: '' }
  const code = await run(args, {
    terminal: null,
    userAgent: undefined,
    versions: { ...readWorkspaceVersions(), 'create-twinwire': '1.2.3' },
    out: (text) => {
      printed.out += text
    },
    err: (text) => {
      printed.err += text
    },
    ...more,
  })
  return { code, ...printed }
}

it('shows help and version', async () => {
  const { code, out } = await play(['--help'])
  expect(code).toBe(0)
  for (const flag of ['--database', '--auth', '--no-limits', '--no-metrics', '--redis', '--no-page', '--yes'])
    expect(out).toContain(flag)
  expect(await play(['--version', 'ignored'])).toEqual({ code: 0, out: '1.2.3\n', err: '' })
})

it('makes a project with defaults where there is no terminal, for the package manager that runs it', async () => {
  const folder = join(parent, 'my-app')
  const { code, out, err } = await play([folder, '--no-metrics'], { userAgent: 'pnpm/10.34.9 npm/? node/v24.21.0' })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toContain('with database postgres, auth keycloak, limits, page\n')
  expect(out).toMatch(/cd .*my-app\n {2}pnpm install\n {2}pnpm run dev\n$/)
  expect(await readdir(folder)).toContain('pnpm-workspace.yaml')
})

it('says what to change, with exit code 1, and writes nothing', async () => {
  expect(await play(['--yes'])).toEqual({
    code: 1,
    out: '',
    err: 'create-twinwire: name the folder of the project: npm create twinwire@latest my-app\n',
  })
  expect((await play([join(parent, 'my-app'), '--auth', 'ldap'])).err).toBe(
    'create-twinwire: --auth is keycloak, development, none, not "ldap"\n',
  )
  // Before any question.
  expect(
    (await play([join(parent, 'My App')], { terminal: { input: new PassThrough(), output: new PassThrough() } })).err,
  ).toContain('"My App" has upper-case letters')
  expect(await readdir(parent)).toEqual([])
})
