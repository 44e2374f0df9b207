// The bill of materials (CycloneDX) of a host that has every package from the registry, written to test-results/sbom.json. The tool validates it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quietEnv } from '../../../tests/package/lib/env.mjs'
import { run } from '../../../tests/package/lib/processes.mjs'
import { root } from '../copy.mjs'

const tool = '@cyclonedx/cyclonedx-npm@6.0.1'
const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']

export async function checkBill({ packages, registry }) {
  const cwd = mkdtempSync(join(tmpdir(), 'twinwire-sbom-'))
  const file = join(root, 'test-results', 'sbom.json')
  mkdirSync(join(root, 'test-results'), { recursive: true })
  try {
    const dependencies = Object.fromEntries(packages.map(({ name, version }) => [name, version]))
    const host = { name: 'host', version: '1.0.0', private: true, license: 'MIT', dependencies }
    writeFileSync(join(cwd, 'package.json'), JSON.stringify(host))
    await run('npm', install, { cwd, env: quietEnv(registry.env) })
    // It fails on what the schema does not allow, and only says so when it cannot validate.
    const bill = ['--output-format', 'JSON', '--spec-version', '1.6', '--validate', '--output-file', file]
    const printed = await run('npx', ['--yes', tool, '-vv', ...bill], { cwd, env: quietEnv() })
    const { components, specVersion } = JSON.parse(readFileSync(file, 'utf8'))
    if (!printed.includes('BOM result appears valid')) throw new Error(`the bill was not validated:\n${printed}`)
    return {
      did: `CycloneDX ${specVersion} with ${components.length} components, valid`,
      faults: packages
        .filter(({ name, version }) => !components.some((each) => nameOf(each) === name && each.version === version))
        .map(({ name }) => `${name} is missing in the bill of materials`),
    }
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}

function nameOf({ group, name }) {
  return group ? `${group}/${name}` : name
}
