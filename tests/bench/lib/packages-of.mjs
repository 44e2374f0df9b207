// `node --import …/packages-of.mjs`: with TWINWIRE_PACKAGES_OF, the folder of another checkout, files of `tests` get the packages that
// the tests of that checkout get. So one server file runs on two builds.
import { existsSync } from 'node:fs'
import { register } from 'node:module'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'

const folder = process.env.TWINWIRE_PACKAGES_OF
if (folder !== undefined && folder !== '') {
  const file = join(resolve(folder), 'tests/package.json')
  if (!existsSync(file)) throw new Error(`TWINWIRE_PACKAGES_OF: ${folder} is not a checkout`)
  const data = { from: new URL('../../', import.meta.url).href, parent: pathToFileURL(file).href }
  register('./packages-hook.mjs', import.meta.url, { data })
}
