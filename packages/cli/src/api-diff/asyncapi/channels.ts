import { alternativesOfSteps, compareAccess, demandsOf } from '../access.ts'
import { type Changes, code } from '../change.ts'
import { compareLimits } from '../facts.ts'
import { compareGuards } from '../guards.ts'
import { get, listAt, type Node, nodeAt, numberAt, textAt, toNode } from '../json.ts'
import type { SchemaPair } from '../schema-changes.ts'

interface Context {
  readonly pair: SchemaPair
  readonly changes: Changes
  readonly refused: string
}

/** The path of the WebSocket, its limits, its topics and its close codes. */
export function compareChannels(oldDocument: Node, newDocument: Node, context: Context): void {
  const { pair, changes, refused } = context
  const [before, after] = [nodeAt(oldDocument, 'channels'), nodeAt(newDocument, 'channels')]
  for (const [name, value] of Object.entries(before)) {
    const old = pair.old.follow(value)
    const address = textAt(old, 'address')
    const where = address || name
    const others = Object.values(after).map((each) => pair.new.follow(each))
    // Clients know addresses, not names.
    const same = address === '' ? undefined : others.find((each) => textAt(each, 'address') === address)
    const now = same ?? pair.new.follow(get(after, name))
    if (same === undefined && get(after, name) === undefined) {
      changes.add('address', where, '', 'the channel was removed')
      continue
    }
    if (textAt(old, 'address') !== textAt(now, 'address'))
      changes.add(
        'address',
        where,
        '',
        `the address was ${code(textAt(old, 'address'))}, now ${code(textAt(now, 'address'))}`,
      )
    compareLimits(nodeAt(old, 'x-limits'), nodeAt(now, 'x-limits'), where, changes)
    compareTopics(old, now, context)
    compareCloseCodes(old, now, where, changes)
    pair.compare(queryOf(old), queryOf(now), { side: 'input', where, root: 'query', refused })
  }
}

function queryOf(channel: Node): unknown {
  return get(nodeAt(nodeAt(channel, 'bindings'), 'ws'), 'query')
}

function compareTopics(oldChannel: Node, newChannel: Node, context: Context): void {
  const { changes } = context
  const [before, after] = [topicsOf(oldChannel), topicsOf(newChannel)]
  for (const [shape, old] of before) {
    const where = `topic ${textAt(old, 'pattern')}`
    const now = after.get(shape)
    if (now === undefined) changes.add('topic-removed', where, '', 'the topic was removed')
    else compareTopic(old, now, where, context)
  }
  for (const [shape, now] of after)
    if (!before.has(shape)) changes.add('topic-added', `topic ${textAt(now, 'pattern')}`, '', 'the topic is new')
}

/** Names of variables are not sent. */
function topicsOf(channel: Node): ReadonlyMap<string, Node> {
  const topics = listAt(channel, 'x-topics').map(toNode)
  return new Map(topics.map((each) => [textAt(each, 'pattern').replace(/\{[^}]*\}/g, '{}'), each]))
}

function compareTopic(old: Node, now: Node, where: string, { pair, changes }: Context): void {
  for (const ability of ['subscribe', 'resume', 'presence']) {
    const [could, can] = [old, now].map((each) => get(each, ability) === true)
    if (could === can) continue
    changes.add(can ? 'topic-relaxed' : 'topic-narrowed', where, ability, `${code(ability)} was ${could}, now ${can}`)
  }
  if (textAt(old, 'slow') !== textAt(now, 'slow'))
    changes.add(
      'topic-narrowed',
      where,
      'slow',
      `what happens to slow clients was ${code(textAt(old, 'slow'))}, now ${code(textAt(now, 'slow'))}`,
    )
  for (const key of ['size', 'ttlMs']) {
    const [before, after] = [old, now].map((each) => numberAt(nodeAt(each, 'history'), key) ?? 0)
    if (before === undefined || after === undefined || before === after) continue
    changes.add(
      after < before ? 'topic-narrowed' : 'topic-relaxed',
      where,
      `history.${key}`,
      `${code(`history.${key}`)} was ${before}, now ${after}`,
    )
  }
  const [before, after] = [demandsOf(old), demandsOf(now)]
  compareAccess(alternativesOfSteps(before, pair.old), alternativesOfSteps(after, pair.new), where, changes)
  compareGuards(before, after, where, changes)
}

function compareCloseCodes(old: Node, now: Node, where: string, changes: Changes): void {
  const [before, after] = [closeCodesOf(old), closeCodesOf(now)]
  for (const [id, known] of before) {
    const row = after.get(id)
    if (row === undefined) {
      const moved = [...after.values()].find(
        (each) => textAt(each, 'reason') === textAt(known, 'reason') && textAt(each, 'reason') !== '',
      )
      const change = moved === undefined ? 'was removed' : `is now ${numberAt(moved, 'code')}`
      changes.add('close-code', where, id, `the close code ${code(id)} ${change}`)
    } else if (textAt(row, 'reconnect') !== textAt(known, 'reconnect'))
      changes.add(
        'close-code',
        where,
        id,
        `after the close code ${code(id)} clients reconnected: ${code(textAt(known, 'reconnect'))}, now: ${code(textAt(row, 'reconnect'))}`,
      )
  }
  for (const id of after.keys())
    if (!before.has(id)) changes.add('close-code-added', where, id, `the close code ${code(id)} is new`)
}

function closeCodesOf(channel: Node): ReadonlyMap<string, Node> {
  const rows = listAt(channel, 'x-close-codes').map(toNode)
  return new Map(rows.map((row) => [`${numberAt(row, 'code')} ${textAt(row, 'reason')}`.trim(), row]))
}
