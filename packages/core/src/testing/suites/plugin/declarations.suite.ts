import type { EventTable, RouteTable } from '../../../app/app-options.ts'
import type { Plugin } from '../../../plugin/plugin.ts'
import type { TestApp } from '../../create-test-app.ts'
import type { TestRunner } from '../../test-runner.ts'
import type { PluginFixture } from './fixture.ts'
import type { PluginSubject } from './subject.ts'

type Declared = Pick<PluginSubject<never, never, never>, 'instruments' | 'health' | 'errors'>

/** Uses before series are counted, and after. */
const usesBefore = 10
const usesAfter = 40

/** What a plugin adds to an app: errors, instruments, endpoints, health checks. */
export function pluginDeclarationsSuite<Routes extends RouteTable, Events extends EventTable>(
  { describe, it, expect }: TestRunner,
  fixture: PluginFixture<Routes, Events>,
  { instruments = [`${toSnake(fixture.namespace)}_`], health = [], errors = {} }: Declared,
): void {
  const { start, exercise, isOwn } = fixture

  describe('declarations', () => {
    it('has errors under its namespace', async () => {
      const codes = new Set<string>()
      const { test } = await start([notingErrors(codes)])
      for (let n = 0; n < usesBefore; n++) await exercise(test, n)
      await test.close()
      for (const { code } of Object.values(errors)) codes.add(code)
      expect([...codes].filter((code) => !isOwn(code))).toEqual([])
    })

    it('has instruments of its name, with no series for each caller, input or path', async () => {
      const { test, watched } = await start()
      for (let n = 0; n < usesBefore; n++) await useFrom(test, n)
      const before = seriesOf(test)
      for (let n = 0; n < usesAfter; n++) await useFrom(test, usesBefore + n)
      const more = [...seriesOf(test)].filter((series) => !before.has(series))
      await test.close()
      expect(more).toEqual([])
      expect(watched.instruments.filter((name) => !instruments.some((prefix) => name.startsWith(prefix)))).toEqual([])
    })

    it('has endpoints that state their access, and keep it', async () => {
      const { test, watched } = await start()
      for (const { definition } of watched.endpoints) {
        const target = definition.http?.route ?? ''
        expect({ endpoint: target, access: definition.access }).not.toEqual({ endpoint: target, access: null })
        if (definition.access !== 'authenticated') continue
        const { status } = await test.request(target.replaceAll(/[:*]\w+/g, 'x'))
        expect({ endpoint: target, status }).toEqual({ endpoint: target, status: 401 })
      }
      await test.close()
    })

    it('has the health checks that it names, and they answer', async () => {
      const { test, watched } = await start()
      expect([...watched.health].sort()).toEqual([...health].sort())
      if (health.length > 0) {
        const report = (await test.request('GET /health')).json()
        expect(report).toMatchObject(Object.fromEntries(health.map((name) => [name, 'healthy'])))
      }
      await test.close()
    })
  })

  /** Also from an address, with a path, a query and a header of its own. */
  async function useFrom(test: TestApp<Routes, Events>, n: number): Promise<void> {
    await exercise(test, n)
    const address = `10.1.${n % 200}.7`
    await test.request(`GET /unknown-${n}/${n}?key-${n}=${n}`, {
      address,
      headers: { 'user-agent': `agent ${n}`, [`x-key-${n}`]: `${n}` },
    })
  }
}

function toSnake(name: string): string {
  return name.replaceAll('-', '_')
}

/** Notes the codes of all errors that calls were answered with. */
function notingErrors(codes: Set<string>): Plugin {
  return {
    name: 'plugin-suite',
    setup(host) {
      host.onReply((_call, { error }) => {
        if (error !== null) codes.add(error.code)
      })
    },
  }
}

function seriesOf({ app }: { readonly app: TestApp<RouteTable, EventTable>['app'] }): ReadonlySet<string> {
  const families = app.instruments.families()
  return new Set(families.flatMap(({ name, cells }) => cells.map(({ labels }) => `${name}${JSON.stringify(labels)}`)))
}
