import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

// Every npm script works in a clone in which nothing is installed: it installs first, or needs no package.

const root = fileURLToPath(new URL('../..', import.meta.url))
const folders = ['.', 'examples/authors', ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)]
const scriptsOf = (folder: string): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).scripts

/** They need nothing that is installed: npx fetches pnpm, git is git, and pnpm runs `prepack` and `prepare` of its own accord. */
const needNothing = new Set(['bootstrap', 'hooks', 'audit', 'prepack', 'prepare'])
const installs = /^(?:npm run bootstrap|node (?:\.\.\/\.\.\/)?scripts\/ensure-installed\.mjs(?: --built)?)$/
/** Made of other scripts only, each of which installs by itself. */
const onlyRuns = /^npm run [\w:-]+(?: && npm run [\w:-]+(?: -- --check(?: [\w.]+)?)?)*$/

test.each(folders)('%s: each script installs what it needs, or needs nothing', (folder) => {
  const scripts = scriptsOf(folder)
  for (const [name, command] of Object.entries(scripts)) {
    const isPre = name.startsWith('pre') && name.slice(3) in scripts
    if (needNothing.has(name)) continue
    if (isPre) expect(command, `${folder}: ${name}`).toMatch(installs)
    else if (!onlyRuns.test(command)) expect(scripts[`pre${name}`], `${folder}: pre${name}`).toMatch(installs)
  }
})

interface End {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(command: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): Promise<End> {
  // Without what npm, pnpm and vitest tell their children.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_|^NODE_PATH$|^NODE_ENV$|^INIT_CWD$/.test(name),
  )
  const env = { ...Object.fromEntries(inherited), ...more }
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr })
    })
  })
}

test.skipIf(!existsSync(join(root, '.git')))(
  'a script of a fresh clone installs, prints nothing of that on stdout, and runs',
  async () => {
    const clone = mkdtempSync(join(tmpdir(), 'twinwire-clone-'))
    onTestFinished(() => rmSync(clone, { recursive: true, force: true }))
    expect(await run('git', ['clone', '--quiet', '--depth', '1', `file://${root}`, clone], root)).toMatchObject({
      code: 0,
    })
    // Said by the script itself, which tsx runs: so it was installed.
    const token = await run('npm', ['run', '--silent', 'get-token'], clone, { DEVELOPMENT_ISSUER_PORT: '1' })
    expect(token).toMatchObject({ code: 1, stdout: '' })
    expect(token.stderr).toMatch(/cannot be reached: start the example, or Keycloak, first\n$/)
    const started = await run('npm', ['start', '--silent'], join(clone, 'examples', 'authors'))
    expect(started).toMatchObject({ code: 1, stdout: '' })
    expect(started.stderr).toBe(
      'The packages are not built: run npm start or npm run build in the root of the repository\n',
    )
    // The doctor of a good clone finds no error.
    const doctor = await run('npm', ['run', '--silent', 'doctor'], clone)
    expect(doctor, doctor.stdout + doctor.stderr).toMatchObject({ code: 0, stderr: '' })
  },
  300_000,
)
