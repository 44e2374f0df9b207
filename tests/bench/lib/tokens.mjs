import process from 'node:process'
import { createApp, route } from '@twinwire/core'
import { auth, authenticated } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { median } from './statistics.mjs'

const algorithms = ['RS256', 'ES256']
const verifications = 1000
const repetitions = 200_000

/** CPU of the process for one HTTP token: one that was never seen, which is verified, and one that was. No socket is involved. */
export async function measureTokens({ rounds }) {
  const issuer = await createTestIssuer({ algorithms, users: [{ username: 'ada', roles: ['get-authors'] }] })
  const { app, identify } = await startApp(issuer)
  try {
    for (const algorithm of algorithms) {
      const samples = []
      for (let round = -1; round < rounds; round++) {
        const sample = await measureRound(issuer, identify, algorithm)
        // The first is for the compiler.
        if (round >= 0) samples.push(sample)
      }
      print(algorithm, samples)
    }
  } finally {
    await app.close()
    await issuer.stop()
  }
}

async function measureRound(issuer, identify, algorithm) {
  const fresh = Array.from({ length: verifications }, () => toRequest(issuer.token('ada', { algorithm })))
  const [known] = fresh
  const verified = await cpuMicros(async () => {
    for (const request of fresh) await identify(request)
  })
  const repeated = await cpuMicros(() => {
    for (let i = 0; i < repetitions; i++) if (identify(known).id === undefined) throw new Error('not in the cache')
  })
  return { verified: verified / verifications, repeated: repeated / repetitions }
}

function print(algorithm, samples) {
  const of = (key) => {
    const values = samples.map((sample) => sample[key])
    return `${median(values).toFixed(2)} us (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`
  }
  const ratios = samples.map(({ verified, repeated }) => verified / repeated)
  console.log(`\nHTTP token, ${algorithm}, CPU, median of ${samples.length} rounds (least to most)`)
  console.log(`  verified  ${of('verified')}\n  repeated  ${of('repeated')}`)
  console.log(
    `  ratio     ${median(ratios).toFixed(0)} (${Math.min(...ratios).toFixed(0)} to ${Math.max(...ratios).toFixed(0)})`,
  )
}

const toRequest = (token) => ({ wire: 'http', headers: { authorization: `Bearer ${token}` }, query: {} })

async function cpuMicros(work) {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** The plugin in an app, and the function that it gives to core. */
async function startApp(issuer) {
  const plugin = auth({ issuer: issuer.issuer, audience: issuer.clientId, clientId: issuer.clientId })
  let identify
  const setup = (host) => {
    const listening = new Proxy(host, {
      get(target, key) {
        const value = Reflect.get(target, key)
        if (key !== 'identify') return typeof value === 'function' ? value.bind(target) : value
        return (owner, ...rest) => {
          identify = owner
          return target.identify(owner, ...rest)
        }
      },
    })
    return plugin.setup(listening)
  }
  const app = createApp({
    environment: 'test',
    pkgIds: { PING: 1 },
    routes: { PING: route({ use: [authenticated()], handler: () => 1 }) },
    plugins: [{ ...plugin, setup }],
    log: 'error',
  })
  await app.ready()
  return { app, identify }
}
