import { type Fields, fieldsOf, textOf } from './json.ts'
import type { Model, Operation } from './model.ts'
import { readAsyncApi } from './read-asyncapi.ts'
import { readOpenApi } from './read-openapi.ts'

/** One description of both. A document that is not served is null. */
export function buildModel(openapi: Fields | null, asyncapi: Fields | null): Model {
  const info = fieldsOf((asyncapi ?? openapi)?.['info'])
  const overSocket = readAsyncApi(asyncapi ?? {})
  const overHttp = openapi === null ? [] : readOpenApi(openapi)
  const httpErrors = overHttp.flatMap(({ errors }) => errors)
  return {
    title: textOf(info['title']) || 'API',
    version: textOf(info['version']),
    description: textOf(info['description']),
    ...overSocket,
    operations: join(overSocket.operations, overHttp),
    errors: overSocket.errors.length > 0 ? overSocket.errors : httpErrors,
  }
}

/** A route that both documents describe is one operation. */
function join(packages: readonly Operation[], requests: readonly Operation[]): readonly Operation[] {
  const byName = new Map(requests.map((each) => [each.name, each]))
  const joined = packages.map((each) => {
    const overHttp = byName.get(each.name)?.overHttp ?? null
    byName.delete(each.name)
    return { ...each, overHttp }
  })
  return [...joined, ...byName.values()]
}
