import { type Changes, code } from '../change.ts'
import { compareErrors, errorsIn } from '../errors.ts'
import { get, type Node, numberAt, textAt } from '../json.ts'
import type { SchemaSource } from '../schema/schema-source.ts'
import type { SchemaPair, Side } from '../schema-changes.ts'
import { frameType, type Operation, requestOf } from './operations.ts'

export interface Context {
  readonly where: string
  /** What a client gets whose data does not fit: `status_code 2`. */
  readonly refused: string
  readonly pair: SchemaPair
  readonly changes: Changes
}

/** PkgIDs are compared as such, and limits of sizes as limits. */
const elsewhere = ['pkg_id', 'max_message_bytes']

export function compareRoutes(old: Operation, now: Operation, context: Context): void {
  const { pair, changes, where } = context
  const [asked, asks] = [old.messages[0], now.messages[0]]
  if (asked !== undefined && asks !== undefined) {
    const place = { side: 'input', root: '', leaveOut: isElsewhere, ...context } as const
    pair.compare(requestOf(asked, pair.old), requestOf(asks, pair.new), place)
    compareCorrelation(asked, asks, 'request', context)
  }
  const kinds = [textAt(old.node, 'x-reply'), textAt(now.node, 'x-reply')]
  if (kinds[0] === kinds[1]) {
    const [oldReplies, newReplies] = [old.replies.filter(isSuccess), now.replies.filter(isSuccess)]
    for (const [i, message] of newReplies.entries()) comparePayloads(oldReplies[i], message, 'output', 'reply', context)
  } else changes.add('reply-kind', where, 'reply', `the reply was a ${kinds[0]}, now a ${kinds[1]}`)
  const [oldErrors, newErrors] = [old.replies.filter(isFailure), now.replies.filter(isFailure)]
  compareErrors(errorsIn(oldErrors, 'status_code'), errorsIn(newErrors, 'status_code'), where, changes)
  for (const message of newErrors) {
    const known = oldErrors.find((each) => statusOf(each) === statusOf(message))
    comparePayloads(known, message, 'output', `error ${statusOf(message)}`, context)
  }
}

export function compareEvents(old: Operation, now: Operation, context: Context): void {
  comparePayloads(old.messages[0], now.messages[0], 'output', '', context)
  const [asked, asks] = [old.replies.length > 0, now.replies.length > 0]
  if (asked !== asks) {
    const change = asks
      ? 'the event was a notice, now it is a question that clients have to answer'
      : 'the event was a question, now it takes no answer'
    context.changes.add('reply-kind', context.where, 'answer', change)
  } else comparePayloads(old.replies[0], now.replies[0], 'input', 'answer', context)
}

/** Frames and what answers them, by their type. A frame that the app sends by itself is an output. */
export function compareFrames(old: Operation, now: Operation, context: Context): void {
  const isReceived = textAt(now.node, 'action') === 'receive'
  compareByType(old.messages, now.messages, isReceived ? 'input' : 'output', '', context)
  compareByType(old.replies, now.replies, isReceived ? 'output' : 'input', 'reply', context)
}

function compareByType(old: readonly Node[], now: readonly Node[], side: Side, root: string, context: Context): void {
  const { pair, changes, where } = context
  const [before, after] = [byType(old, pair.old), byType(now, pair.new)]
  for (const [type, message] of after) {
    const known = before.get(type)
    if (known !== undefined) comparePayloads(known, message, side, root === '' ? '' : type || root, context)
    else
      changes.add(
        side === 'output' ? 'output-option' : 'input-relaxed',
        where,
        type,
        `a frame of type ${type} is new here`,
      )
  }
  for (const type of before.keys())
    if (!after.has(type))
      changes.add(
        side === 'output' ? 'output-narrowed' : 'input-option',
        where,
        type,
        `a frame of type ${type} was removed here`,
      )
}

function byType(messages: readonly Node[], source: SchemaSource): ReadonlyMap<string, Node> {
  return new Map(messages.map((message) => [frameType(message, source), message]))
}

function comparePayloads(
  old: Node | undefined,
  now: Node | undefined,
  side: Side,
  root: string,
  context: Context,
): void {
  if (old === undefined || now === undefined) return
  const { where, refused, pair } = context
  compareCorrelation(old, now, root, context)
  const hasCodes = get(old, 'x-error-codes') !== undefined && get(now, 'x-error-codes') !== undefined
  const leaveOut = (path: string): boolean =>
    isElsewhere(path) || (hasCodes && (path === 'data.code' || path.startsWith('data.details')))
  pair.compare(get(old, 'payload'), get(now, 'payload'), { side, root, where, refused, leaveOut })
}

function isElsewhere(path: string): boolean {
  return elsewhere.includes(path)
}

/** Where the id is by which an answer is told from others. */
function compareCorrelation(old: Node, now: Node, at: string, { where, pair, changes }: Context): void {
  const [before, after] = [locationOf(old, pair.old), locationOf(now, pair.new)]
  if (before !== '' && after !== '' && before !== after)
    changes.add('correlation', where, at, `the id that answers are told by was at ${code(before)}, now ${code(after)}`)
}

function locationOf(message: Node, source: SchemaSource): string {
  return textAt(source.follow(get(message, 'correlationId')), 'location')
}

function statusOf(message: Node): number | null {
  return numberAt(message, 'x-status-code')
}

function isSuccess(message: Node): boolean {
  return statusOf(message) === 0 || statusOf(message) === null
}

function isFailure(message: Node): boolean {
  return !isSuccess(message)
}
