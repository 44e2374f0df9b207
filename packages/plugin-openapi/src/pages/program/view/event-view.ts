import { exampleOf } from '../model/example.ts'
import { pretty } from '../model/json.ts'
import type { EventInfo } from '../model/model.ts'
import { type Child, code, facts, h } from './dom.ts'
import { schemaView } from './schema-view.ts'

export function eventView({ name, summary, pkgId, data, answer }: EventInfo, isLive: boolean): readonly Child[] {
  const example = {
    pkg_id: pkgId,
    req_id: '00000000-0000-0000-0000-000000000000',
    data: data === null ? null : exampleOf(data),
  }
  return [
    h('h2', {}, name),
    summary !== '' && h('p', { class: 'lead' }, summary),
    facts([['Package', `pkg_id ${pkgId}`]]),
    isLive &&
      h(
        'p',
        { class: 'quiet' },
        'While you are connected, it appears in the log when it arrives. An event of a topic needs a subscription.',
      ),
    h('h3', {}, 'Data'),
    data === null ? h('p', { class: 'quiet' }, 'none') : schemaView(data),
    h('h3', {}, 'Example'),
    code(pretty(example), 'Example of the event'),
    ...(answer === null
      ? []
      : [
          h('h3', {}, 'Answer'),
          h(
            'p',
            { class: 'quiet' },
            `It is a question: the app waits for the answer.${isLive ? ' The console does not answer.' : ''}`,
          ),
          schemaView(answer),
        ]),
  ]
}
