import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'

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
 * Starts a server that prints `ready <url>`.
 * @returns {Promise<{ url: string, startMs: number, stop: () => Promise<number | null> }>} `stop` resolves with the exit code
 */
export async function startServer(command, args, { cwd, env }) {
  const startedAt = performance.now()
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = collect(child)
  const ended = new Promise((resolve) => child.once('close', resolve))
  let timer
  try {
    const url = await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`the server ${why}\n${output()}`))
      const look = () => {
        const match = /^ready (\S+)\n/m.exec(output())
        if (match) resolve(match[1])
      }
      child.stdout.on('data', look)
      child.once('error', reject)
      ended.then((code) => fail(`ended early with ${code}`))
      timer = setTimeout(fail, startWithinMs, `does not listen after ${startWithinMs} ms`)
    })
    const startMs = performance.now() - startedAt
    const stop = () => {
      child.kill('SIGTERM')
      return ended
    }
    return { url, startMs, stop, kill: () => child.kill('SIGKILL'), output }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(timer)
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
