import { fieldsOf, isFields } from '../model/json.ts'

/** Where a form that was given a value does not hold it: `filters.name`. Null if it holds all of it. */
export function findLost(value: unknown, held: unknown, path = ''): string | null {
  const here = path === '' ? 'the input' : path
  if (Array.isArray(value)) {
    if (!Array.isArray(held) || held.length !== value.length) return here
    const items: readonly unknown[] = held
    return first(value.map((each: unknown, at) => findLost(each, items[at], `${path}[${at}]`)))
  }
  if (isFields(value)) {
    if (!isFields(held)) return here
    return first(
      Object.entries(value).map(([name, each]) =>
        findLost(
          each,
          Object.hasOwn(held, name) ? fieldsOf(held)[name] : undefined,
          path === '' ? name : `${path}.${name}`,
        ),
      ),
    )
  }
  return value === held ? null : here
}

function first(found: ReadonlyArray<string | null>): string | null {
  return found.find((each) => each !== null) ?? null
}
