import { UsageError } from '../../usage-error.ts'
import type { Generation } from '../generation.ts'
import { capitalize, type Name } from '../name.ts'
import { writeImports } from '../source/imports.ts'
import { addStoredEntity, toEntity } from './entity.ts'
import { databaseParts } from './test-parts.ts'

/** A business operation of a feature. */
export function generateCommand(name: Name, generation: Generation): void {
  const folder = generation.folder(generation.feature())
  generation.plan.create(
    `${folder}/${name.kebab}.command.ts`,
    `import { BaseCommand } from '@twinwire/core'

export interface ${name.pascal}Input {
  readonly name: string
}

export interface ${name.pascal}Result {
  readonly name: string
}

export class ${name.pascal}Command extends BaseCommand<${name.pascal}Input, ${name.pascal}Result> {
  execute({ name }: ${name.pascal}Input): ${name.pascal}Result {
    return { name }
  }
}
`,
  )
  generation.plan.create(
    `${folder}/${name.kebab}.command.test.ts`,
    `import { expect, test } from 'vitest'
import { ${name.pascal}Command } from './${name.kebab}.command.ts'

test('${name.words}', async () => {
  expect(await new ${name.pascal}Command().execute({ name: 'First' })).toEqual({ name: 'First' })
})
`,
  )
  generation.next.push(`call it in a route: command: () => new ${name.pascal}Command()`)
}

/** Table, schemas and repository, with a migration. */
export function generateRepository(name: Name, generation: Generation): void {
  if (!generation.model.hasDatabase)
    throw new UsageError(`this project has no ${generation.paths.schema}, so it has no database: add database() first`)
  const entity = toEntity(name, generation.folder(generation.feature()))
  addStoredEntity(generation, entity, false)
  const { imports, setup } = databaseParts(generation)
  const lines = writeImports([
    ...imports,
    ['vitest', 'expect', 'test'],
    [`./${name.kebab}.repository.ts`, `${name.pascal}Repository`],
  ])
  generation.plan.create(
    `${entity.folder}/${name.kebab}.repository.test.ts`,
    `${lines}
${setup}
test('finds what was created by its name: ${name.words}', async () => {
  const repository = new ${name.pascal}Repository(database.db)
  const created = await repository.create({ name: 'First' })
  expect(await repository.findByName('First')).toEqual(created)
  expect(await repository.findByName('Second')).toBeNull()
})
`,
  )
}

/** A package that only the server sends. */
export function generateEvent(name: Name, generation: Generation): void {
  const feature = generation.feature()
  const folder = generation.folder(feature)
  generation.plan.create(
    `${folder}/${name.kebab}.event.ts`,
    `import { event } from '@twinwire/core'
import * as v from 'valibot'

export const ${name.camel} = event({
  summary: '${capitalize(name.words)}',
  data: v.object({ id: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
})
`,
  )
  const lines = writeImports([
    ['@twinwire/core/testing', 'onTransports'],
    ['vitest', 'afterEach', 'describe', 'expect', 'it'],
    [generation.up(generation.paths.pkgIds), 'PkgID'],
    [`./${name.kebab}.event.ts`, name.camel],
  ])
  generation.plan.create(
    `${folder}/${name.kebab}.event.test.ts`,
    `${lines}
const { ${name.constant} } = PkgID

// In memory, and on real sockets.
onTransports({ describe, afterEach }, ({ start }) => {
  it('reaches every client: ${name.words}', async () => {
    const { app, client } = await start({
      pkgIds: { ${name.constant} },
      routes: {},
      events: { ${name.constant}: ${name.camel} },
    })
    const ann = await client()
    app.hub.broadcast(${name.camel}, { id: 1 })
    expect(await ann.nextEvent('${name.constant}')).toEqual({ id: 1 })
  })
})
`,
  )
  generation.addPkgId(name, 'event')
  generation.addToFeature(feature, 'events', name, `${name.kebab}.event.ts`)
  generation.next.push(`publish it in a handler: call.broadcast(${name.camel}, { id: 1 })`)
}

/** A plugin with an API, and a step that gets it. */
export function generatePlugin(name: Name, generation: Generation): void {
  const { paths, plan } = generation
  if (generation.options.module !== undefined)
    throw new UsageError(`a plugin is not part of a feature: leave --module out; it is written to ${paths.plugins}`)
  plan.create(
    `${paths.plugins}/${name.kebab}.ts`,
    `import { guard } from '@twinwire/core'
import { definePlugin, pluginKey } from '@twinwire/core/plugin'

interface ${name.pascal}Api {
  /** How many calls have ended since the start, on either wire. */
  calls(): number
}

const ${name.camel}Key = pluginKey('${name.camel}').of<${name.pascal}Api>()

/** Counts calls. Add it to \`plugins\` of \`createApp\`. */
export const ${name.camel} = () =>
  definePlugin(${name.camel}Key, {
    setup(host) {
      let ended = 0
      host.onReply(() => {
        ended += 1
      })
      return { calls: () => ended }
    },
  })

/** A step: adds \`calls\`, the number so far. */
export const with${name.pascal} = () =>
  guard({
    name: '${name.camel}.with',
    needs: ${name.camel}Key,
    bind: (api) => () => ({ calls: api.calls() }),
  })
`,
  )
  const lines = writeImports([
    ['@twinwire/core', 'route'],
    ['@twinwire/core/testing', 'onTransports'],
    ['vitest', 'afterEach', 'describe', 'expect', 'it'],
    [`./${name.kebab}.ts`, name.camel, `with${name.pascal}`],
  ])
  plan.create(
    `${paths.plugins}/${name.kebab}.test.ts`,
    `${lines}
const count = route({
  http: 'GET /count',
  access: 'public',
  use: [with${name.pascal}()],
  handler: (_input, { calls }) => ({ calls }),
})

// In memory, and on real sockets.
onTransports({ describe, afterEach }, ({ start }) => {
  it('counts the calls of both wires: ${name.words}', async () => {
    const { client } = await start({ pkgIds: { COUNT: 1 }, routes: { COUNT: count }, plugins: [${name.camel}()] })
    const ann = await client()
    expect(await ann.call('COUNT')).toEqual({ calls: 0 })
    expect(await ann.http('COUNT')).toEqual({ calls: 1 })
  })
})
`,
  )
  generation.next.push(`add ${name.camel}() to plugins of createApp`)
}
