import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

// The host of the packages that builds declarations uses every function of every entry point, so that each result has a type that can
// be named. Add a new one there.

const file = new URL('../package/hosts/commonjs-typescript/src/everything.ts', import.meta.url)
/** They answer with nothing, or with a type that another one of the file answers with. */
const leftOut =
  /^(\w+Error|\w+Cell|closeOnSignals|runDoctor|isSecretKey|RSPCode|migrate|isUser|memoryRawClient|createTestClient|onTransports|UpgradeRefused)$/

test.each([
  ['@twinwire/core', () => import('@twinwire/core')],
  ['@twinwire/core/plugin', () => import('@twinwire/core/plugin')],
  ['@twinwire/core/settings', () => import('@twinwire/core/settings')],
  ['@twinwire/core/cluster', () => import('@twinwire/core/cluster')],
  ['@twinwire/core/transport', () => import('@twinwire/core/transport')],
  ['@twinwire/core/database', () => import('@twinwire/core/database')],
  ['@twinwire/core/database/testing', () => import('@twinwire/core/database/testing')],
  ['@twinwire/core/database/valibot', () => import('@twinwire/core/database/valibot')],
  ['@twinwire/core/testing', () => import('@twinwire/core/testing')],
  ['@twinwire/client', () => import('@twinwire/client')],
  ['@twinwire/client/protobuf', () => import('@twinwire/client/protobuf')],
  ['@twinwire/client/react', () => import('@twinwire/client/react')],
  ['@twinwire/broker-redis', () => import('@twinwire/broker-redis')],
  ['@twinwire/redis', () => import('@twinwire/redis')],
  ['@twinwire/plugin-audit', () => import('@twinwire/plugin-audit')],
  ['@twinwire/plugin-auth', () => import('@twinwire/plugin-auth')],
  ['@twinwire/plugin-auth/testing', () => import('@twinwire/plugin-auth/testing')],
  ['@twinwire/plugin-metrics', () => import('@twinwire/plugin-metrics')],
  ['@twinwire/plugin-metrics/testing', () => import('@twinwire/plugin-metrics/testing')],
  ['@twinwire/plugin-otel', () => import('@twinwire/plugin-otel')],
  ['@twinwire/plugin-profiling', () => import('@twinwire/plugin-profiling')],
  ['@twinwire/plugin-openapi', () => import('@twinwire/plugin-openapi')],
  ['@twinwire/plugin-ratelimit', () => import('@twinwire/plugin-ratelimit')],
  ['@twinwire/plugin-ratelimit/testing', () => import('@twinwire/plugin-ratelimit/testing')],
])('the host with declarations uses all of %s', async (_entryPoint, load) => {
  const source = readFileSync(file, 'utf8')
  const names = Object.keys(await load()).filter((name) => !leftOut.test(name))
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(source))).toEqual([])
})
