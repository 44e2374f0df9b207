// Node.js of each major version that is supported: this one, and the others from npm.
import { delimiter, dirname } from 'node:path'
import process from 'node:process'
import { findNodes } from '../../tests/package/lib/nodes.mjs'

export const versions = ['20', '22', '24']
export const title = 'Node.js'
export const tests = ['--project', 'unit', 'packages/core']

/**
 * @param {string} major
 * @returns {Promise<{ version: string, env: Record<string, string>, node: string, stop(): Promise<void> }>}
 */
export async function start(major) {
  const found = findNodes().find(({ version }) => version.split('.')[0] === major)
  if (found === undefined) throw new Error(`npm has no Node.js ${major} that runs here`)
  const PATH = `${dirname(found.path)}${delimiter}${process.env.PATH}`
  return { version: found.version, env: { PATH }, node: found.path, stop: async () => {} }
}
