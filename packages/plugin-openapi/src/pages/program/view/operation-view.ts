import { exampleOf } from '../model/example.ts'
import { pretty } from '../model/json.ts'
import { type ErrorInfo, type Operation, sayDemands, statusNames } from '../model/model.ts'
import type { Schema } from '../model/schema.ts'
import type { Session } from '../session/session.ts'
import { type Child, code, facts, h, table } from './dom.ts'
import { schemaView } from './schema-view.ts'
import { sendView } from './send-view.ts'

/** A route. With a session it can be sent. */
export function operationView(operation: Operation, session: Session | null): readonly Child[] {
  const { name, summary, deprecated, ws, overHttp, errors } = operation
  return [
    h('h2', {}, name, deprecated && h('span', { class: 'tag' }, 'deprecated')),
    summary !== '' && h('p', { class: 'lead' }, summary),
    factsOf(operation),
    ...operation.notes.map((note) => h('p', { class: 'quiet' }, note)),
    session === null ? null : sendView(operation, session),
    ws === null ? null : packageSection(operation, ws.input, ws.output, session === null),
    overHttp === null
      ? null
      : section('Over HTTP', session === null && ws === null, [
          h('p', {}, h('code', {}, operation.http ?? '')),
          ...schemas(overHttp.input, overHttp.output),
        ]),
    section('Errors', session === null, [errorTable(errors)]),
  ]
}

function factsOf(operation: Operation): HTMLElement {
  const { pkgId, http, access, demands, steps, reply, deadlineMs, ordered, once, rateLimits } = operation
  return facts([
    ['Package', pkgId === null ? null : `pkg_id ${pkgId}`],
    ['HTTP', http],
    ['Access', access === 'public' ? 'public' : 'signed-in users'],
    ['Needs', sayDemands(demands)],
    ['Limits', rateLimits.join('; ')],
    ['Reply', reply === 'page' ? 'a page' : reply === 'stream' ? 'a stream' : null],
    ['Deadline', deadlineMs === null || deadlineMs === 0 ? null : `${deadlineMs / 1000} s`],
    ['Order', ordered ? 'one after the other' : null],
    ['Repeated', once ? 'has one effect' : null],
    ['Steps', steps.join(', ')],
  ])
}

function section(title: string, isOpen: boolean, children: readonly Child[]): HTMLElement {
  const details = h('details', { class: 'section' }, h('summary', {}, h('h3', {}, title)), ...children)
  details.open = isOpen
  return details
}

function packageSection(
  { pkgId, reply }: Operation,
  input: Schema | null,
  output: Schema | null,
  isOpen: boolean,
): HTMLElement {
  const reqId = '5f0c6b0e-8a0e-4b0e-9d0a-2f1f3b1c7a55'
  const request = { pkg_id: pkgId, req_id: reqId, ...(input !== null && { data: exampleOf(input) }) }
  const answer = {
    pkg_id: pkgId,
    req_id: reqId,
    status_code: 0,
    meta: reply === 'stream' ? { more: true } : null,
    data: output === null ? null : exampleOf(output),
  }
  return section('Over WebSocket', isOpen, [
    h('h4', {}, 'Example'),
    code(pretty(request), 'Example of a package'),
    code(pretty(answer), 'Example of its reply'),
    ...schemas(input, output),
  ])
}

function schemas(input: Schema | null, output: Schema | null): readonly Child[] {
  return [
    h('h4', {}, 'Input'),
    input === null ? h('p', { class: 'quiet' }, 'none') : schemaView(input),
    h('h4', {}, 'Answer'),
    output === null ? h('p', { class: 'quiet' }, 'none, or it is not described') : schemaView(output),
  ]
}

export function errorTable(errors: readonly ErrorInfo[]): HTMLElement {
  const rows = errors.map(({ code: name, status, httpStatus, message, retry }) => [
    h('code', {}, name),
    `${status} ${statusNames[status] ?? ''}`,
    httpStatus,
    message,
    retry ? 'yes' : 'no',
  ])
  return table(['code', 'status_code', 'HTTP', 'message', 'try again'], rows, 'Errors')
}
