import { compareAsyncApi } from './asyncapi/compare-asyncapi.ts'
import type { Change } from './change.ts'
import { DocumentError } from './document-error.ts'
import type { Node } from './json.ts'
import { textAt } from './json.ts'
import { compareOpenApi } from './openapi/compare-openapi.ts'
import type { Severity } from './rules.ts'

export type DocumentKind = 'openapi' | 'asyncapi'

export interface Comparison {
  readonly kind: DocumentKind
  /** Breaking ones first, then those to review, then compatible ones; of each the order of the documents. */
  readonly changes: readonly Change[]
}

const order: readonly Severity[] = ['breaking', 'review', 'compatible']

/** Throws a DocumentError where they cannot be compared. */
export function compareDocuments(old: Node, now: Node): Comparison {
  const kind = kindOf(old, 'The old document')
  const other = kindOf(now, 'The new document')
  if (kind !== other)
    throw new DocumentError(`The old document is ${names[kind]}, the new one ${names[other]}: compare two of one kind`)
  const changes = kind === 'openapi' ? compareOpenApi(old, now) : compareAsyncApi(old, now)
  return { kind, changes: order.flatMap((severity) => byPlace(changes.filter((each) => each.severity === severity))) }
}

/** All of one place together. */
function byPlace(changes: readonly Change[]): readonly Change[] {
  const places = [...new Set(changes.map(({ where }) => where))]
  return places.flatMap((place) => changes.filter(({ where }) => where === place))
}

export const names: Readonly<Record<DocumentKind, string>> = { openapi: 'OpenAPI', asyncapi: 'AsyncAPI' }

function kindOf(document: Node, name: string): DocumentKind {
  const [openapi, asyncapi] = [textAt(document, 'openapi'), textAt(document, 'asyncapi')]
  if (/^3\.1\.\d/.test(openapi)) return 'openapi'
  if (/^3\.0\.\d/.test(asyncapi)) return 'asyncapi'
  const found =
    openapi !== ''
      ? `OpenAPI ${openapi}`
      : asyncapi !== ''
        ? `AsyncAPI ${asyncapi}`
        : textAt(document, 'swagger') !== ''
          ? 'Swagger 2'
          : 'neither'
  throw new DocumentError(
    `${name} has to be OpenAPI 3.1 or AsyncAPI 3.0, as @twinwire/plugin-openapi serves them; it is ${found.slice(0, 40)}`,
  )
}
