// Prints the file of the addon that core runs on, as a process of its own: a server that loads it needs nothing else of core.
import { existsSync } from 'node:fs'
import process from 'node:process'
import { tsImport } from 'tsx/esm/api'

// Only a source file of core knows which one it is: on an older glibc it is a copy.
const { loadUws } = await tsImport('../../../packages/core/src/transport/uws-loader.ts', import.meta.url)
loadUws()
const { sharedObjects } = process.report.getReport()
const file = sharedObjects.find((path) => /uws_[^/\\]*\.node$/.test(path))
if (file === undefined || !existsSync(file)) {
  throw new Error('The file of uWebSockets.js is not kept: run this where node_modules can be written')
}
process.stdout.write(file)
