import { execFile } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const script = fileURLToPath(new URL('../../packages/plugin-openapi/build-pages.mjs', import.meta.url))

/** Builds the pages that plugin-openapi serves, as its build does. Several processes may do so at once. */
export async function buildPages(): Promise<void> {
  await promisify(execFile)(process.execPath, [script])
}
