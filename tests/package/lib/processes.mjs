import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import process from 'node:process'

const startWithinMs = 120_000

/** Resolves with what was printed; rejects, with it as `output`, on another exit code than 0. */
export function run(command, args, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = collect(child)
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) return resolve(output())
      const error = new Error(`${command.split('/').at(-1)} ${args.join(' ')}: exit code ${code}\n${output()}`)
      reject(Object.assign(error, { output: output() }))
    })
  })
}

/**
 * Starts a server that prints `ready <url>`, or what `ready` matches, with the address as its first group. `group`: it is a script that starts others,
 * which are killed with it.
 * @returns {Promise<{ url: string, startMs: number, stop: () => Promise<number | null> }>} `stop` resolves with the exit code
 */
export async function startServer(command, args, { cwd, env, ready = /^ready (\S+)\n/m, group = false }) {
  const startedAt = performance.now()
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: group })
  const output = collect(child)
  const ended = new Promise((resolve) => child.once('close', resolve))
  const kill = () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    if (group) process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  }
  /** Resolves with the match. */
  const printed = async (pattern) => {
    let timer
    try {
      return await new Promise((resolve, reject) => {
        const fail = (why) => reject(new Error(`the server ${why}\n${output()}`))
        const look = () => {
          const match = pattern.exec(output())
          if (match) resolve(match)
        }
        look()
        child.stdout.on('data', look)
        child.once('error', reject)
        ended.then((code) => fail(`ended early with ${code}`))
        timer = setTimeout(fail, startWithinMs, `does not print ${pattern} within ${startWithinMs} ms`)
      })
    } finally {
      clearTimeout(timer)
    }
  }
  try {
    const [, url] = await printed(ready)
    const startMs = performance.now() - startedAt
    const stop = () => {
      child.kill('SIGTERM')
      return ended
    }
    return { url, startMs, stop, kill, output, printed }
  } catch (error) {
    kill()
    throw error
  }
}

function collect(child) {
  let text = ''
  const keep = (chunk) => {
    text += chunk
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  return () => text
}
