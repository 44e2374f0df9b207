import type { Generation } from '../generation.ts'
import { writeImports } from '../source/imports.ts'
import type { FeatureNames } from './feature.ts'
import { toListLine, toTestParts } from './test-parts.ts'

/** Both wires, on both transports: create, the event, list, errors, roles. */
export function writeFeatureTest(generation: Generation, names: FeatureNames): string {
  const { one, many, list, create, created } = names
  const { hasDatabase } = generation.model
  const { imports, setup, plugins, user, stranger } = toTestParts(generation, hasDatabase)
  const clear = hasDatabase ? '' : `beforeEach(() => ${one.camel}Repository.clear())\n`
  const lines = writeImports([
    ...imports,
    ...(hasDatabase
      ? []
      : [['vitest', 'beforeEach'] as const, [`./${one.kebab}.repository.ts`, `${one.camel}Repository`] as const]),
    [generation.up(generation.paths.pkgIds), 'PkgID'],
    [`./${list.kebab}.route.ts`, list.camel],
    [`./${create.kebab}.route.ts`, create.camel],
    [`./${created.kebab}.event.ts`, created.camel],
  ])
  const denied = `
  it('asks for the roles', async () => {
    const { client } = await start(options())
    const bob = await client(${stranger})
    for (const send of [bob.call, bob.http])
      await expect(send('${create.constant}', { name: 'First' })).rejects.toMatchObject({ code: 'permission_denied' })
  })
`
  const listed = hasDatabase
    ? `    for (const list of [bob.call, bob.http])
      expect(await list('${list.constant}', { per_page: 1 })).toMatchObject({ items: [first], meta: { total: 2 } })
`
    : `    for (const list of [bob.call, bob.http]) expect(await list('${list.constant}')).toEqual([second, first])
`
  return `${lines}
const { ${list.constant}, ${create.constant}, ${created.constant} } = PkgID

${setup}${clear}${setup === '' && clear === '' ? '' : '\n'}const options = () => ({
  pkgIds: { ${list.constant}, ${create.constant}, ${created.constant} },
  routes: { ${list.constant}: ${list.camel}, ${create.constant}: ${create.camel} },
  events: { ${created.constant}: ${created.camel} },
${toListLine('plugins', plugins, '  ')}})

// In memory, and on real sockets.
onTransports({ describe, afterEach }, ({ start }) => {
  it('creates ${many.words} over both wires, sends the event, and lists them', async () => {
    const { client } = await start(options())
    const ann = await client(${user})
    const bob = await client(${user})
    const first = await ann.call('${create.constant}', { name: 'First' })
    expect(await bob.nextEvent('${created.constant}')).toEqual(first)
    const second = await ann.http('${create.constant}', { name: 'Second' })
    expect(await bob.nextEvent('${created.constant}')).toEqual(second)
${listed}  })

  it('answers errors alike on both wires', async () => {
    const { client } = await start(options())
    const ann = await client(${user})
    await ann.call('${create.constant}', { name: 'First' })
    for (const send of [ann.call, ann.http]) {
      await expect(send('${create.constant}', { name: 'First' })).rejects.toMatchObject({ code: 'conflict' })
      await expect(send('${create.constant}', { name: '' })).rejects.toMatchObject({ code: 'validation_error' })
    }
  })
${stranger === null ? '' : denied}})
`
}
