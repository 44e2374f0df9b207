#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { readVersions } from './package-json.ts'
import { run } from './run.ts'

try {
  // Beside this file in `dist`: the build writes it from the workspace.
  const versions = readVersions(readFileSync(new URL('versions.json', import.meta.url), 'utf8'))
  process.exitCode = await run(process.argv.slice(2), {
    terminal: process.stdin.isTTY && process.stdout.isTTY ? { input: process.stdin, output: process.stdout } : null,
    userAgent: process.env.npm_config_user_agent,
    versions,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  })
} catch (error) {
  console.error(error)
  process.exitCode = 1
}
