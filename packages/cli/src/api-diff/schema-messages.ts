import { code } from './change.ts'
import type { Rule } from './rules.ts'
import type { Reason } from './schema/reason.ts'
import type { SchemaPlace, Side } from './schema-changes.ts'

const breaking = {
  type: 'type',
  value: 'value',
  required: 'required',
  closed: 'closed',
  range: 'range',
  length: 'length',
  count: 'count',
  option: 'option',
  pattern: 'pattern',
  format: 'format',
  check: 'check',
  unclear: 'unclear',
} as const

/** Null for what is not reported in this direction. */
export function ruleOf({ kind, key, to }: Reason, side: Side, isBackward: boolean): Rule | null {
  if (kind === 'key') return isBackward === (side === 'input') ? `${side}-key-added` : `${side}-key-removed`
  if (kind === 'default') return side === 'input' && !isBackward ? 'input-default' : null
  if (kind === 'deprecated') return isBackward ? null : 'deprecated'
  if (!isBackward) return `${side}-${breaking[kind]}`
  if (kind === 'closed' && key !== null && side === 'input') return 'input-key-added'
  if (kind === 'closed' && key !== null && to === 'not taken') return 'output-key-removed'
  return side === 'input' ? 'input-relaxed' : 'output-narrowed'
}

/** After the place: what changed, and what follows from it. */
export function describeBreaking(reasons: readonly Reason[], first: Reason, place: SchemaPlace): string {
  return place.side === 'input' ? describeInput(reasons, first, place) : describeOutput(reasons, first)
}

function describeInput(reasons: readonly Reason[], { kind, key, from, to }: Reason, { refused }: SchemaPlace): string {
  const change = `was ${show(from)}, now ${show(to)}`
  switch (kind) {
    case 'required':
      return `is now required: clients that do not send it get ${refused}`
    case 'closed':
      return key === null
        ? `no longer takes keys that it does not name: clients that send them get ${refused}`
        : `is no longer taken: clients that send it get ${refused}`
    case 'value':
      return `no longer takes ${values(reasons)}: now ${show(to)}; the others get ${refused}`
    case 'type':
      return `${change}: clients that send ${from.split(' or ').includes(to) ? 'anything else' : 'the former'} get ${refused}`
    case 'range':
    case 'length':
    case 'count':
      return `${change}: clients that send the former get ${refused}`
    case 'option':
      return `no longer takes ${show(from)}: now ${show(to)}; the others get ${refused}`
    case 'pattern':
      return `${describeCheck(kind, from, to)}. Check that all that fitted the old one fits the new one`
    case 'format':
    case 'check':
      return `${describeCheck(kind, from, to)}. Check that the server takes what clients send`
    case 'unclear':
      return `may no longer take ${show(from)}: now ${show(to)}. This could not be told: check it`
    case 'key':
      return 'is no longer read: what clients send there is ignored'
    case 'default':
      return `has another default: ${change}. Clients that leave it out get what follows from it`
    case 'deprecated':
      return deprecation(to === 'true')
  }
}

function describeOutput(reasons: readonly Reason[], { kind, key, from, to }: Reason): string {
  // A new value meets the old schema: `from` is what is sent now.
  const change = `was ${show(to)}, now ${show(from)}`
  switch (kind) {
    case 'required':
      return from === 'not there' ? 'was always there, now it is left out' : 'was always there, now it may be missing'
    case 'closed':
      return key === null
        ? 'may now have keys that it does not name, which the old description excludes'
        : 'is new, and the old description excludes keys that it does not name'
    case 'value':
      return `was ${show(to)}, now it may also be ${values(reasons)}`
    case 'type':
      return from.split(' or ').includes(to) ? `was ${show(to)}, is ${show(from)} now` : change
    case 'range':
    case 'length':
    case 'count':
      return change
    case 'option':
      return `was ${show(to)}, now it may also be ${show(from)}, as none of the old alternatives describes it`
    case 'pattern':
      return `${describeCheck(kind, to, from)}. Check that clients read all that fits the new one`
    case 'format':
    case 'check':
      return `${describeCheck(kind, to, from)}. Check that clients read it`
    case 'unclear':
      return `may now be ${show(from)}, where it was ${show(to)}. This could not be told: check it`
    case 'key':
      return 'is new'
    case 'default':
      return ''
    case 'deprecated':
      return deprecation(from === 'true')
  }
}

export function describeCompatible(reasons: readonly Reason[], first: Reason, { side }: SchemaPlace): string {
  const { kind, from, to } = first
  const isInput = side === 'input'
  const change = isInput ? `was ${show(to)}, now ${show(from)}` : `was ${show(from)}, now ${show(to)}`
  switch (kind) {
    case 'required':
      return isInput ? 'is no longer required' : 'is now always there'
    case 'closed':
      if (first.key === null)
        return isInput ? 'now takes keys that it does not name' : 'no longer has keys that it does not name'
      return isInput ? 'is a new key that may be sent' : 'was removed'
    case 'key':
      return isInput ? 'is a new key that may be sent' : 'was removed from the description'
    case 'value':
      return isInput ? `now also takes ${values(reasons)}` : `is no longer ${values(reasons)}`
    case 'option':
      return isInput ? `now also takes ${show(from)}` : `is no longer ${show(from)}`
    case 'pattern':
    case 'format':
    case 'check':
      return isInput ? describeCheck(kind, to, from) : describeCheck(kind, from, to)
    default:
      return change
  }
}

const unchecked = ['none', 'any text', 'any number']

function describeCheck(kind: 'pattern' | 'format' | 'check', was: string, is: string): string {
  if (unchecked.includes(was)) return `now has the ${kind} ${code(is)}`
  if (unchecked.includes(is)) return `no longer has the ${kind} ${code(was)}`
  return `has another ${kind}: was ${code(was)}, now ${code(is)}`
}

function values(reasons: readonly Reason[]): string {
  return reasons.map(({ from }) => show(from)).join(', ')
}

function deprecation(isDeprecated: boolean): string {
  return isDeprecated ? 'is now deprecated' : 'is no longer deprecated'
}

/** Words of our own as they are; what comes from a document as code. */
function show(text: string): string {
  return /^(?:an?|text|null|anything|nothing|none|any|optional|required|only|up to|at (?:least|most)|more than|less than)\b[\w ]*$|^\d+(?: to \d+)? ?\w*(?: or more)?$/.test(
    text,
  )
    ? text
    : code(text)
}
