// What is not reported as breaking does not break: every value that fitted fits.
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Changes } from './change.ts'
import type { Node } from './json.ts'
import { SchemaSource } from './schema/schema-source.ts'
import { SchemaPair, type Side } from './schema-changes.ts'
import { schemaPairs } from './schema-pairs.fixtures.ts'
import { createDice, makeValue, seal } from './schema-values.fixtures.ts'

/** By hand: SCHEMA_PAIRS=20000 */
const runs = Number(process.env['SCHEMA_PAIRS'] ?? 300)
const seed = Number(process.env['SCHEMA_SEED'] ?? 18)
const valuesPerPair = 40

const ajv = new Ajv2020({ strict: false, logger: false, validateSchema: false, code: { optimize: false } })

function breaks(old: Node, now: Node, side: Side): boolean {
  const changes = new Changes('http')
  new SchemaPair(new SchemaSource(old, 'old'), new SchemaSource(now, 'new'), changes).compare(old, now, {
    side,
    where: 'X',
    root: 'body',
    refused: '422',
  })
  return changes.toList().some(({ severity }) => severity !== 'compatible')
}

function compile(schema: Node): (value: unknown) => boolean {
  const validate = ajv.compile(schema)
  ajv.removeSchema(schema)
  return (value) => validate(value) === true
}

it.each<Side>(['input', 'output'])(
  'an %s without a breaking change takes every value that fitted',
  (side) => {
    let kept = 0
    let tried = 0
    let found = 0
    let broken = 0
    fc.assert(
      fc.property(schemaPairs, fc.nat(), ({ old, new: now }, start) => {
        const [from, to] = side === 'input' ? [old, now] : [now, old]
        const isBroken = breaks(old, now, side)
        if (isBroken) broken++
        else kept++
        const [fitsFrom, fitsTo] = [compile(seal(from)), compile(to)]
        const values = Array.from({ length: valuesPerPair }, (_, i) => makeValue(from, from, createDice(start + i)))
        const valid = values.filter(fitsFrom)
        const refused = valid.filter((value) => !fitsTo(value))
        if (isBroken) {
          if (refused.length > 0) found++
          return
        }
        tried += valid.length
        expect(refused).toEqual([])
      }),
      { numRuns: runs, seed },
    )
    if (process.env['SCHEMA_PAIRS'] !== undefined)
      console.log(
        `${side}: ${kept} of ${runs} kept, ${tried} values; of ${broken} others ${found} have a value that shows it`,
      )
    // Or the property would say nothing.
    expect(kept).toBeGreaterThan(runs / 6)
    expect(tried).toBeGreaterThan(runs)
    expect(found).toBeGreaterThan(broken / 4)
  },
  600_000,
)

it('equal schemas have no changes, whichever they are', () => {
  fc.assert(
    fc.property(schemaPairs, ({ new: schema }) => {
      const changes = new Changes('http')
      const copy: Node = JSON.parse(JSON.stringify(schema))
      const pair = new SchemaPair(new SchemaSource(schema, 'old'), new SchemaSource(copy, 'new'), changes)
      for (const side of ['input', 'output'] as const)
        pair.compare(schema, copy, { side, where: 'X', root: 'body', refused: '422' })
      expect(changes.toList()).toEqual([])
    }),
    { numRuns: runs, seed },
  )
}, 600_000)
