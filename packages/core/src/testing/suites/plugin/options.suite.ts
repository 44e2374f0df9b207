import type { EventTable, RouteTable } from '../../../app/app-options.ts'
import type { TestRunner } from '../../test-runner.ts'
import type { PluginFixture } from './fixture.ts'
import type { PluginOptionsSubject } from './subject.ts'

const unknownName = 'notAnOption'

export function pluginOptionsSuite<Routes extends RouteTable, Events extends EventTable>(
  { describe, it, expect }: TestRunner,
  { bootError, isOwn }: PluginFixture<Routes, Events>,
  { create, valid, refused }: PluginOptionsSubject,
): void {
  const expectRefusal = async (options: object, path: string): Promise<void> => {
    const error = await bootError(() => create(options))
    expect({ path, refused: error !== null }).toEqual({ path, refused: true })
    if (error === null) return
    expect(error.message).toContain(path)
    expect({ code: error.code, isOwn: isOwn(error.code) }).toEqual({ code: error.code, isOwn: true })
  }

  describe('options', () => {
    it('takes what is valid', async () => {
      expect(await bootError(() => create(valid))).toBe(null)
    })

    it('refuses an unknown name', async () => {
      await expectRefusal({ ...valid, [unknownName]: 1 }, unknownName)
    })

    for (const name of Object.keys(valid)) {
      it(`refuses a symbol as ${name}`, async () => {
        await expectRefusal({ ...valid, [name]: Symbol('no option') }, name)
      })
    }

    for (const [path, values] of Object.entries(refused)) {
      for (const value of values) {
        it(`refuses ${show(value)} as ${path}`, async () => {
          await expectRefusal(withValue(valid, path.split('.'), value), path)
        })
      }
    }
  })
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  return JSON.stringify(value) ?? String(value)
}

/** A copy with another value at the path. */
function withValue(options: object, [key = '', ...rest]: readonly string[], value: unknown): object {
  if (rest.length === 0) return { ...options, [key]: value }
  const inner: unknown = Reflect.get(options, key)
  return { ...options, [key]: withValue(typeof inner === 'object' && inner !== null ? inner : {}, rest, value) }
}
