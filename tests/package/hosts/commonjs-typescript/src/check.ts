// What `require` and `import` give is one and the same.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const entryPoints = [
  '@twinwire/core',
  '@twinwire/core/database',
  '@twinwire/core/database/valibot',
  '@twinwire/core/testing',
  '@twinwire/broker-redis',
  '@twinwire/client',
  '@twinwire/client/protobuf',
  '@twinwire/client/react',
  '@twinwire/plugin-audit',
  '@twinwire/plugin-auth',
  '@twinwire/plugin-auth/testing',
  '@twinwire/plugin-metrics',
  '@twinwire/plugin-metrics/testing',
  '@twinwire/plugin-openapi',
  '@twinwire/plugin-otel',
  '@twinwire/plugin-profiling',
  '@twinwire/plugin-ratelimit',
  '@twinwire/plugin-ratelimit/testing',
  '@twinwire/redis',
]
const requireHere = createRequire(join(process.cwd(), 'package.json'))

async function compare(entryPoint: string): Promise<void> {
  const required: Record<string, unknown> = requireHere(entryPoint)
  const imported: Record<string, unknown> = await import(entryPoint)
  // `require` of a module with a default export adds a name; ours have none.
  const names = Object.keys(imported).filter((name) => name !== 'default' && name !== 'module.exports')
  assert.deepEqual(Object.keys(required).sort(), names.sort(), entryPoint)
  for (const name of names) assert.equal(required[name], imported[name], `${entryPoint} has two copies of ${name}`)
}

Promise.all(entryPoints.map(compare)).catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
