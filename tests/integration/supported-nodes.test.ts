import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { isInRange } from '../../packages/core/src/app/doctor/version-range.ts'
import { supportedNodes } from '../../packages/core/src/base/machine.ts'
import { compatTable } from '../../packages/core/src/transport/uws-checksums.ts'

// `engines`, the native binaries, the doctor, the loader, the hosts of the packages and the pages name the same lines of Node.

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const manifests = ['package.json', 'examples/authors/package.json'].concat(
  readdirSync(join(root, 'packages')).map((name) => `packages/${name}/package.json`),
)

const engines = '^20.19 || ^22.12 || ^24'
const lines = [
  { major: 20, abi: '115', oldest: '20.19.0', tooOld: '20.18.3' },
  { major: 22, abi: '127', oldest: '22.12.0', tooOld: '22.11.0' },
  { major: 24, abi: '137', oldest: '24.0.0', tooOld: '23.11.1' },
]
const abis = lines.map(({ abi }) => abi)

test('every package asks for the lines of Node that have a binary, and for no other', () => {
  for (const file of manifests) expect(JSON.parse(read(file)).engines.node, file).toBe(engines)
  for (const { oldest, tooOld } of lines)
    expect([isInRange(oldest, engines), isInRange(tooOld, engines)]).toEqual([true, false])
  for (const without of ['18.20.8', '21.7.3', '23.11.1', '25.2.0', '26.0.0', '27.0.0'])
    expect(isInRange(without, engines), without).toBe(false)
  // This process shows that the numbers above are Node's.
  const here = lines.find(({ major }) => process.versions.node.startsWith(`${major}.`))
  expect(here?.abi).toBe(process.versions.modules)
})

test('the native server has a binary for each of them on every platform', () => {
  const core = createRequire(join(root, 'packages/core/package.json'))
  const files = readdirSync(dirname(core.resolve('uWebSockets.js')))
  for (const platform of ['linux_x64', 'linux_arm64', 'darwin_x64', 'darwin_arm64', 'win32_x64'])
    expect(files).toEqual(expect.arrayContaining(abis.map((abi) => `uws_${platform}_${abi}.node`)))
  const ofTable = Object.keys(compatTable).sort()
  expect(ofTable).toEqual(['arm64', 'x64'].flatMap((arch) => abis.map((abi) => `uws_linux_${arch}_${abi}.node`)))
})

test('the hosts of the packages run on each of them', () => {
  const [, list = ''] = /^const versions = (\[.*\])$/m.exec(read('tests/package/lib/nodes.mjs')) ?? []
  const testedOn = list.match(/[\d.]+/g) ?? []
  expect(testedOn.map((version) => Number(version.split('.')[0]))).toEqual(lines.map(({ major }) => major))
  for (const version of testedOn) expect(isInRange(version, engines)).toBe(true)
})

test('the doctor, the loader and the pages name them', () => {
  const [last, ...others] = lines.map(({ major }) => major).reverse()
  expect(supportedNodes).toBe(`${others.reverse().join(', ')} or ${last}`)
  for (const page of ['README.md', 'CONTRIBUTING.md', 'packages/core/README.md'])
    expect(read(page), page).toContain(`Node.js ${supportedNodes} (20.19, 22.12 or newer)`)
})
