import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'

/** The command that runs now, with all that it has started. */
let running = null

/**
 * A checkout to compare with. A commit is checked out into a temporary folder, which is removed by `remove`, and when this process ends
 * for any reason that it can react to. A folder is used as it is.
 *
 * @param {string} base a commit, or the folder of another checkout that is built
 */
export async function openCheckout(base) {
  if (existsSync(join(base, 'package.json'))) {
    const folder = resolve(base)
    if (!existsSync(join(folder, 'packages/core/dist/index.js'))) throw new Error(`${base} is not built`)
    return { folder, remove() {} }
  }
  const place = mkdtempSync(join(tmpdir(), 'twinwire-base-'))
  const folder = join(place, 'checkout')
  let isRemoved = false
  const remove = () => {
    if (isRemoved) return
    isRemoved = true
    // It would go on writing into the folder.
    if (running !== null) process.kill(-running.pid, 'SIGKILL')
    // Fails when the checkout was never made; then there is nothing to unregister.
    spawnSync('git', ['worktree', 'remove', '--force', folder], { stdio: 'ignore' })
    rmSync(place, { recursive: true, force: true, maxRetries: 10 })
  }
  process.on('exit', remove)
  try {
    await run(process.cwd(), 'git', ['worktree', 'add', '--detach', folder, base])
    await run(folder, 'npm', ['run', '--silent', 'bootstrap'])
    await buildPackages(folder)
  } catch (error) {
    remove()
    throw error
  }
  return { folder, remove }
}

/** Builds the packages of a checkout, without their declarations, which nothing runs. */
export async function buildPackages(folder) {
  for (const name of readdirSync(join(folder, 'packages'))) {
    await run(join(folder, 'packages', name), 'npm', ['run', '--silent', 'build'], { TWINWIRE_BUILD_DTS: 'off' })
  }
}

/** In a process group of its own, so that all of it can be ended. */
function run(cwd, command, args, env = {}) {
  console.log(`${cwd}: ${command} ${args.join(' ')}`)
  return new Promise((done, reject) => {
    const child = spawn(command, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    running = child
    const output = []
    child.stdout.on('data', (bytes) => output.push(bytes))
    child.stderr.on('data', (bytes) => output.push(bytes))
    child.on('error', reject)
    child.on('close', (code) => {
      running = null
      if (code === 0) done()
      else reject(new Error(`${command} ${args.join(' ')} has failed:\n${Buffer.concat(output)}`))
    })
  })
}
