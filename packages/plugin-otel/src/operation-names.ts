import { type Attributes, SpanKind } from '@opentelemetry/api'
import type { CommandOperation, Operation, PublicationOperation } from '@twinwire/core/plugin'
import { summarize } from './statement-summary.ts'

export interface OperationName {
  readonly name: string
  readonly kind: SpanKind
  readonly attributes: Attributes
}

/** Of the conventions for databases and for messaging. */
export function nameOperation(operation: Operation, hasQueryText: boolean): OperationName {
  switch (operation.kind) {
    case 'statement': {
      const { text, location } = operation
      const summary = summarize(text)
      const attributes = {
        ...placeOf(location),
        'db.query.summary': summary,
        ...(hasQueryText && { 'db.query.text': text }),
      }
      return { name: summary, kind: SpanKind.CLIENT, attributes }
    }
    case 'transaction':
      return { name: 'transaction', kind: SpanKind.INTERNAL, attributes: placeOf(operation.location) }
    case 'command':
      return nameCommand(operation)
    case 'publication':
      return namePublication(operation)
  }
}

/** https://opentelemetry.io/docs/specs/semconv/db/redis/ */
function nameCommand({ system, host, port, namespace, command, script }: CommandOperation): OperationName {
  const attributes = {
    'db.system.name': system,
    'db.namespace': namespace,
    'db.operation.name': command,
    'server.address': host,
    ...(port !== null && { 'server.port': port }),
    ...(script !== null && { 'db.stored_procedure.name': script }),
  }
  return { name: script === null ? command : `${command} ${script}`, kind: SpanKind.CLIENT, attributes }
}

/** https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ */
function namePublication({ destination, pattern, pkgId, broker }: PublicationOperation): OperationName {
  const attributes = {
    'messaging.system': 'twinwire',
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
    'messaging.destination.name': destination,
    'messaging.destination.template': pattern,
    'twinwire.broker': broker,
    'twinwire.pkg_id': pkgId,
  }
  return { name: `publish ${pattern}`, kind: SpanKind.PRODUCER, attributes }
}

/** `db.internal:5432/app`; of a database within the process it is a folder or a word. */
function placeOf(location: string): Attributes {
  const [, address, port, namespace] = /^(.+):(\d+)\/(.*)$/.exec(location) ?? []
  if (address === undefined) return { 'db.system.name': 'postgresql', 'db.namespace': location }
  return {
    'db.system.name': 'postgresql',
    'db.namespace': namespace ?? '',
    'server.address': address,
    'server.port': Number(port),
  }
}
