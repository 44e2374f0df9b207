// Entry for hosts on the command line that have a WebSocket of their own: Node.js from 22, Deno, Bun.
import process from 'node:process'
import { runCases } from './cases.ts'

console.log(JSON.stringify(await runCases(JSON.parse(process.argv[2] ?? ''))))
