// Nothing grew by more than its bound since the last release, and the page shows the figures of that.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../copy.mjs'
import { compareSizes, measureOthers, showSizes } from '../sizes.mjs'

const report = 'reports/sizes.json'
const page = 'docs_site/sizes.md'
const marks = /(<!-- sizes:begin -->\n)[\s\S]*?(\n<!-- sizes:end -->)/
const accept = 'to accept it: npm run release:dry -- --only sizes --update'

export async function checkSizes({ folder, packages, update }) {
  const now = {
    packages: Object.fromEntries(packages.map(({ name, sizes }) => [name, sizes])),
    others: await measureOthers(folder),
  }
  if (update) {
    writeFileSync(join(root, report), `${JSON.stringify(now, null, 2)}\n`)
    const text = readFileSync(join(root, page), 'utf8')
    writeFileSync(
      join(root, page),
      text.replace(marks, (_, begin, end) => `${begin}${showSizes(now)}${end}`),
    )
  }
  if (!existsSync(join(root, report))) return { did: '', faults: [`${report} is missing; ${accept}`] }
  const before = JSON.parse(readFileSync(join(root, report), 'utf8'))
  const faults = compareSizes(before, now).map((each) => `${each}; ${accept}`)
  if (!readFileSync(join(root, page), 'utf8').includes(showSizes(before)))
    faults.push(`${page} is not what ${report} says; ${accept}`)
  return { did: `${packages.length} packages, the client and a route compared with ${report}`, faults }
}
