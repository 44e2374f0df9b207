import type { FrameInfo, Model } from '../model/model.ts'
import { type Child, facts, h, table } from './dom.ts'
import { errorTable } from './operation-view.ts'
import { schemaView } from './schema-view.ts'

export function aboutView({
  title,
  version,
  description,
  operations,
  events,
  topics,
  errors,
}: Model): readonly Child[] {
  const packages = operations.filter(({ pkgId }) => pkgId !== null).length
  const requests = operations.filter(({ http }) => http !== null).length
  return [
    h('h2', {}, title),
    description !== '' && h('p', { class: 'lead text' }, description),
    facts([
      ['Version', version],
      ['Packages', packages],
      ['HTTP requests', requests],
      ['Events', events.length],
      ['Topics', topics.length],
    ]),
    h('h3', {}, 'Errors'),
    errorTable(errors),
  ]
}

export function connectionView({ address, limits, closes, frames, hasAuth }: Model): readonly Child[] {
  return [
    h('h2', {}, 'Connection'),
    facts([
      ['Address', address],
      ['Token', hasAuth ? 'in the first frame, auth, or in the header of the upgrade' : 'none'],
      ...Object.entries(limits).map(([name, value]) => [name.replaceAll('_', ' '), String(value)] as const),
    ]),
    h('h3', {}, 'Close codes'),
    table(
      ['code', 'reason', 'connect again'],
      closes.map(({ code, reason, reconnect }) => [code, reason, reconnect]),
      'Close codes',
    ),
    h('h3', {}, 'Control frames'),
    ...frames.map(frameView),
  ]
}

function frameView({ name, direction, summary, payload, replies }: FrameInfo): HTMLElement {
  return h(
    'details',
    { class: 'section' },
    h('summary', {}, h('code', {}, name), h('span', { class: 'kind' }, direction)),
    summary !== '' && h('p', {}, summary),
    schemaView(payload),
    ...replies.flatMap((reply) => [h('h4', {}, `Answered by ${reply.name}`), schemaView(reply.payload)]),
  )
}
