// Entry for Node.js 20, which has no WebSocket.
import process from 'node:process'
import { WebSocket } from 'ws'
import { runCases } from './cases.ts'

console.log(JSON.stringify(await runCases(JSON.parse(process.argv[2] ?? ''), WebSocket)))
