import { code } from '../change.ts'
import { get, has, type Node, nodeAt, textAt } from '../json.ts'
import type { Operation } from './operations.ts'
import type { Context } from './requests.ts'

const scalars = ['string', 'number', 'integer', 'boolean']

/** How lists and objects are written into parameters. */
export function compareStyles(old: Operation, now: Operation, { where, pair, changes }: Context): void {
  for (const parameter of now.parameters) {
    const [place, name] = [textAt(parameter, 'in'), nameIn(parameter, now)]
    const known = old.parameters.find((each) => textAt(each, 'in') === place && nameIn(each, old) === name)
    if (known === undefined) continue
    const isScalar =
      scalars.includes(textAt(pair.old.follow(get(known, 'schema')), 'type')) &&
      scalars.includes(textAt(pair.new.follow(get(parameter, 'schema')), 'type'))
    const [before, after] = [styleOf(known, isScalar), styleOf(parameter, isScalar)]
    if (before !== after) {
      const at = `${place}.${textAt(parameter, 'name')}`
      changes.add('input-style', where, at, `${code(at)} was written as ${code(before)}, now as ${code(after)}`)
    }
  }
}

/** Names of variables of a path are not sent: their order tells them. */
function nameIn(parameter: Node, { pathNames }: Operation): string {
  const [place, name] = [textAt(parameter, 'in'), textAt(parameter, 'name')]
  if (place === 'path') return String(pathNames.indexOf(name))
  return place === 'header' ? name.toLowerCase() : name
}

/** `form, explode`; a media type where the value is written as one. */
function styleOf(parameter: Node, isScalar: boolean): string {
  const [type] = Object.keys(nodeAt(parameter, 'content'))
  if (type !== undefined) return type
  const isForm = ['query', 'cookie'].includes(textAt(parameter, 'in'))
  const style = textAt(parameter, 'style') || (isForm ? 'form' : 'simple')
  const explodes = has(parameter, 'explode') ? get(parameter, 'explode') === true : style === 'form'
  // One value is written the same.
  return explodes && !isScalar ? `${style}, explode` : style
}
