#!/usr/bin/env node
import process from 'node:process'
import { run } from './run.ts'

// A reader such as `head` may close the pipe before all is written.
process.stdout.on('error', (error) => {
  if (!('code' in error) || error.code !== 'EPIPE') throw error
})

try {
  process.exitCode = await run(process.argv.slice(2), {
    stdin: process.stdin,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  })
} catch (error) {
  // 1 is what a command found; this is an error of the program itself.
  console.error(error)
  process.exitCode = 2
}
