#!/usr/bin/env node
import process from 'node:process'
import { run } from './run.ts'

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
})
