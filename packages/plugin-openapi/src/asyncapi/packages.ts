import { RSPCode } from '@twinwire/core'
import type { AppContract, EventContract, RouteContract } from '@twinwire/core/plugin'
import { followReference } from '../schemas/components.ts'
import type { SchemaConverter } from '../schemas/json-schema.ts'
import { type Json, noted, toList } from '../schemas/node.ts'
import { errorsOf, toErrorData, toRow } from '../shared/errors.ts'
import { pageMeta, toFacts, toSecuritySchemes, toTag } from '../shared/facts.ts'
import { type Messages, toObject, toOperation, uuid } from './messages.ts'

interface Parts {
  readonly app: AppContract
  readonly converter: SchemaConverter
  readonly messages: Messages
  /** The name of the operation. */
  readonly name: string
}

const nothing: Json = { type: 'null' }

/** A route as the app receives it, with all that it answers. */
export function describeRoute(route: RouteContract, parts: Parts): Json {
  const { app, messages, name } = parts
  const { pkgId, summary } = route
  const request = messages.add(`${name}Request`, toRequest(route, parts), {
    summary,
    correlation: 'reqId',
    facts: { 'x-pkg-id': pkgId },
  })
  const errors = errorsOf(route, 'ws', app)
  const statuses = [RSPCode.ERROR, RSPCode.INVALID_DATA, RSPCode.PERMISSION_DENIED]
  const failures = statuses.flatMap((status) => {
    const ofStatus = errors.filter((each) => each.status === status)
    if (ofStatus.length === 0) return []
    const data = messages.schema(
      { schema: toErrorData(ofStatus.map(({ code }) => code)), definitions: {} },
      `${name}ErrorData${status}`,
    )
    const payload = toReply(pkgId, status, nothing, data)
    const facts = { 'x-pkg-id': pkgId, 'x-status-code': status, 'x-error-codes': ofStatus.map(toRow) }
    return [messages.add(`${name}Error${status}`, payload, { correlation: 'reqId', facts })]
  })
  const security = route.identity === 'required' ? toReferences(app) : []
  const { deprecated, ...facts } = toFacts(route)
  return toOperation('receive', [request], [...describeSuccess(route, parts), ...failures], {
    ...(summary !== '' && { summary }),
    tags: [{ name: toTag(route) }],
    ...(security.length > 0 && { security }),
    ...facts,
    ...(deprecated === true && { 'x-deprecated': true }),
  })
}

/** Of which a caller needs one. */
export function toReferences(app: AppContract): readonly Json[] {
  return toSecuritySchemes(app, 'httpApiKey').map(({ name }) => ({ $ref: `#/components/securitySchemes/${name}` }))
}

function toRequest({ name: route, pkgId, input }: RouteContract, { converter, messages, name }: Parts): Json {
  const document = input === null ? null : converter.convert(input, 'input', 'draft-07', `The input of route ${route}`)
  const data = document === null ? noted('It is ignored') : messages.schema(document, `${name}Input`)
  const isNeeded = document !== null && toList(followReference(document)['required']).length > 0
  return toObject(
    {
      pkg_id: { const: pkgId },
      req_id: uuid,
      method: { type: ['string', 'null'], ...noted('Not used') },
      data: isNeeded ? data : { anyOf: [data, nothing], ...noted('Null, or left out, is an empty object') },
      traceparent: { type: 'string', ...noted('The W3C trace context of this call. Left out: that of the upgrade') },
    },
    isNeeded ? ['method', 'traceparent'] : ['method', 'data', 'traceparent'],
  )
}

function toReply(pkgId: number | null, status: number, meta: Json, data: Json): Json {
  return toObject({ pkg_id: { const: pkgId }, req_id: uuid, status_code: { const: status }, meta, data })
}

function describeSuccess(
  { name: route, pkgId, output, reply }: RouteContract,
  { converter, messages, name }: Parts,
): readonly Json[] {
  const facts = { 'x-pkg-id': pkgId, 'x-status-code': RSPCode.OK }
  const add = (local: string, meta: Json, data: Json, summary = ''): Json =>
    messages.add(`${name}${local}`, toReply(pkgId, RSPCode.OK, meta, data), { summary, correlation: 'reqId', facts })
  const ofPage = messages.schema({ schema: pageMeta, definitions: {} }, 'PageMeta')
  const anyMeta = { anyOf: [nothing, ofPage] }
  if (output === null) return [add('Reply', anyMeta, noted('The route declares no output'))]
  const document = converter.convert(output, 'output', 'draft-07', `The output of route ${route}`)
  if (reply === 'value') return [add('Reply', anyMeta, messages.schema(document, `${name}Output`))]
  const item = messages.schema(document, `${name}OutputItem`)
  if (reply === 'page') return [add('Reply', ofPage, { type: 'array', items: item }, 'A page')]
  const more = toObject({ more: { const: true } })
  return [add('Item', more, item, 'An item; others follow'), add('End', nothing, nothing, 'The end of the items')]
}

/** An event that the app sends; a question has the answer of the client as its reply. */
export function describeEvent(event: EventContract, { converter, messages, name }: Parts): Json {
  const { pkgId, summary, data, answer } = event
  const document = converter.convert(data, 'output', 'draft-07', `The data of event ${event.name}`)
  const properties = {
    pkg_id: { const: pkgId },
    req_id: { ...uuid, ...noted(answer === null ? 'The zero UUID' : 'The zero UUID, or that of a question') },
    data: messages.schema(document, `${name}Data`),
    meta: messages.schema({ schema: eventMeta, definitions: {} }, 'EventMeta'),
  }
  const facts = { 'x-pkg-id': pkgId }
  const sent = messages.add(`${name}Event`, toObject(properties, ['meta']), {
    summary,
    correlation: answer === null ? null : 'reqId',
    facts,
  })
  const about = {
    ...(summary !== '' && { summary }),
    tags: [{ name: 'events' }],
    'x-event': event.name,
    'x-pkg-id': pkgId,
  }
  if (answer === null) return toOperation('send', [sent], [], about)
  const answered = messages.schema(
    converter.convert(answer, 'input', 'draft-07', `The answer to event ${event.name}`),
    `${name}AnswerData`,
  )
  const frame = toObject({ type: { const: 'answer' }, req_id: uuid, data: answered })
  return toOperation('send', [sent], [messages.add(`${name}Answer`, frame, { correlation: 'reqId', facts })], about)
}

const eventMeta: Json = {
  title: 'EventMeta',
  description: 'Only on connections that have sent `subscribe`',
  type: 'object',
  required: ['topic', 'cause'],
  properties: {
    topic: { type: 'string', description: 'The topic, `@me` or `@all`' },
    epoch: { type: 'string' },
    offset: { type: 'integer', minimum: 1 },
    cause: { type: ['string', 'null'], description: 'The `req_id` of the call that published it' },
  },
}
