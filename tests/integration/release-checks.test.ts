// `npm run release:dry` finds planted faults, and the reports that it compares with fit together.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  compareSizes,
  differences,
  faultsOfFiles,
  faultsOfPolicies,
  faultsOfStability,
} from '../../scripts/release/checks.mjs'

const packages = fileURLToPath(new URL('../../packages/', import.meta.url))
const reports = fileURLToPath(new URL('../../reports/exports/', import.meta.url))
const read = (file: string): Record<string, never> => JSON.parse(readFileSync(file, 'utf8'))

/** Exports by package and entry point, as they are committed. */
function readSnapshots(): Record<string, Record<string, Record<string, string>>> {
  const names = readdirSync(packages).map((each) => String(read(join(packages, each, 'package.json')).name))
  return Object.fromEntries(
    names.map((name) => [name, read(join(reports, `${name.replace('@', '').replace('/', '-')}.json`))]),
  )
}

describe('sizes', () => {
  const before = {
    packages: { core: { tarball: 100_000, unpacked: 400_000, installed: 100_000_000, packages: 20 } },
    others: { client: 8000, protobuf: 1500, instantiations: 500 },
  }

  test('what grew within its bound is accepted', () => {
    const core = { tarball: 107_000, unpacked: 429_000, installed: 106_000_000, packages: 19 }
    const others = { client: 8159, protobuf: 1574, instantiations: 514 }
    expect(compareSizes(before, { packages: { core }, others })).toEqual([])
  })

  test('what grew over its bound is named with both figures and the bound', () => {
    const core = { ...before.packages.core, tarball: 109_000, packages: 21 }
    expect(compareSizes(before, { packages: { core }, others: { ...before.others, client: 8161 } })).toEqual([
      'the client, both wires grew from 8000 bytes to 8161 bytes, and may be at most 8160 bytes',
      'core: tarball grew from 100.0 kB to 109.0 kB, and may be at most 108.0 kB',
      'core: packages grew from 20 to 21, and may be at most 20',
    ])
  })

  test('what was not measured, and a package on one side only, are faults', () => {
    const now = { packages: { other: before.packages.core }, others: { ...before.others, instantiations: Number.NaN } }
    expect(compareSizes(before, now)).toEqual([
      'instantiations of the type checker for a route was not measured',
      'core is not measured any more',
      'other is new',
    ])
  })
})

test('exports that are new, left out, or of another kind', () => {
  const before = { '.': { a: 'function', b: 'type', c: 'const' } }
  expect(differences(before, { '.': { a: 'function', b: 'interface' }, './more': { d: 'class' } })).toEqual([
    '. c (const) is not exported any more',
    './more d (class) is new',
    '. b is interface, was type',
  ])
  expect(differences(before, before)).toEqual([])
})

test('a tarball with what is not on the list, or without what has to be there', () => {
  const files = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/index.js', 'dist/testing/index.d.cts']
  expect(faultsOfFiles('@twinwire/client', files)).toEqual([])
  expect(faultsOfFiles('@twinwire/client', [...files.slice(1), 'src/index.ts', '.env', 'dist/index.test.ts'])).toEqual([
    '@twinwire/client has no package.json',
    ...['src/index.ts', '.env', 'dist/index.test.ts'].map(
      (file) => `@twinwire/client contains ${file}, which scripts/release/steps/tarballs.mjs does not allow`,
    ),
  ])
})

test('each entry point has a level of stability, and the page shows it and the versions that were run', () => {
  expect([...faultsOfStability(readSnapshots()), ...faultsOfPolicies()]).toEqual([])
})

test('a level of what is not exported, and an entry point without a level, are faults', () => {
  const snapshots = readSnapshots()
  const { './react': react, ...client } = snapshots['@twinwire/client'] ?? {}
  const faults = faultsOfStability({ ...snapshots, '@twinwire/client': { ...client, './vue': react ?? {} } })
  expect(faults).toEqual([
    'reports/stability.json: entryPoints lacks ./vue of @twinwire/client',
    'reports/stability.json: @twinwire/client has no ./react',
  ])
})
