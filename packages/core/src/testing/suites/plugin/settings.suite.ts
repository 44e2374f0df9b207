import type { EventTable, RouteTable } from '../../../app/app-options.ts'
import { defineSettings } from '../../../settings/settings.ts'
import type { TestRunner } from '../../test-runner.ts'
import type { PluginFixture } from './fixture.ts'
import type { PluginSettingsSubject } from './subject.ts'

export function pluginSettingsSuite<Routes extends RouteTable, Events extends EventTable>(
  { describe, it, expect }: TestRunner,
  { bootError, namespace }: PluginFixture<Routes, Events>,
  {
    group,
    variables,
    refused,
    create,
    prefixes = [`${namespace.toUpperCase().replaceAll('-', '_')}_`],
  }: PluginSettingsSubject,
): void {
  const described = defineSettings({ plugin: group })
    .describe()
    .settings.filter((setting) => setting.group === 'plugin')
  const read = (given: Readonly<Record<string, string>>) =>
    defineSettings({ plugin: group }).read({ variables: given, environment: 'test' })

  describe('settings', () => {
    it('are read, and none of the variables is unknown', () => {
      expect(Object.keys(read(variables))).toContain('plugin')
      const known = described.map(({ name }) => name)
      expect(Object.keys(variables).filter((name) => !known.includes(name))).toEqual([])
    })

    it('are described, under names of their own', () => {
      for (const { name, about } of described) {
        expect({ name, isOwn: prefixes.some((prefix) => name.startsWith(prefix)) }).toEqual({ name, isOwn: true })
        expect({ name, about }).not.toEqual({ name, about: '' })
      }
    })

    if (create !== undefined)
      it('are options of the plugin', async () => {
        expect(await bootError(() => Reflect.apply(create, undefined, [read(variables).plugin]))).toBe(null)
      })

    for (const [name, values] of Object.entries(refused)) {
      for (const value of values) {
        it(`refuse ${JSON.stringify(value)} as ${name}`, () => {
          expect(() => read({ ...variables, [name]: value })).toThrow(new RegExp(`\\b${name}\\b`))
        })
      }
    }
  })
}
