import { type Changes, code } from './change.ts'
import { isUndecided, type Reason } from './schema/reason.ts'
import { SchemaComparison } from './schema/schema-comparison.ts'
import type { SchemaSource } from './schema/schema-source.ts'
import { describeBreaking, describeCompatible, ruleOf } from './schema-messages.ts'

/** What clients send, or what they receive. */
export type Side = 'input' | 'output'

export interface SchemaPlace {
  readonly side: Side
  readonly where: string
  /** `body`, `reply`. */
  readonly root: string
  /** What a client gets that sends something else: `422`. */
  readonly refused: string
  /** Of what is reported elsewhere. */
  readonly leaveOut?: (path: string) => boolean
}

/** Compares schemas of an old and a new document in both directions. */
export class SchemaPair {
  readonly old: SchemaSource
  readonly new: SchemaSource
  readonly #forward: Readonly<Record<Side, SchemaComparison>>
  readonly #backward: Readonly<Record<Side, SchemaComparison>>
  readonly #changes: Changes

  constructor(old: SchemaSource, now: SchemaSource, changes: Changes) {
    this.old = old
    this.new = now
    this.#changes = changes
    // All that was sent must still be taken; all that is sent now must have been described before.
    this.#forward = { input: new SchemaComparison(old, now, true), output: new SchemaComparison(now, old, false) }
    this.#backward = { input: new SchemaComparison(now, old, true), output: new SchemaComparison(old, now, false) }
  }

  /** Undefined is a schema that says nothing. */
  compare(oldSchema: unknown, newSchema: unknown, place: SchemaPlace): void {
    const { side } = place
    const [old, now] = [this.old.toSchema(oldSchema), this.new.toSchema(newSchema)]
    const [from, to] = side === 'input' ? [old, now] : [now, old]
    const keep = (reason: Reason): boolean => place.leaveOut?.(toPath('', reason)) !== true
    const forward = this.#forward[side].run(from, to).filter(keep)
    const backward = this.#backward[side].run(to, from).filter(keep)
    for (const reasons of grouped(forward)) this.#report(reasons, place, false)
    for (const reasons of grouped(backward)) if (!isSaid(reasons, forward)) this.#report(reasons, place, true)
  }

  #report(reasons: readonly Reason[], place: SchemaPlace, isBackward: boolean): void {
    const [first] = reasons
    if (first === undefined) return
    const rule = ruleOf(first, place.side, isBackward)
    if (rule === null) return
    const at = toPath(place.root, first)
    const describe = isBackward ? describeCompatible : describeBreaking
    this.#changes.add(rule, place.where, at, `${code(at)} ${describe(reasons, first, place)}`)
  }
}

/** Those of one kind at one place: the values of an enumeration are one change. */
function grouped(reasons: readonly Reason[]): Iterable<readonly Reason[]> {
  const groups = new Map<string, Reason[]>()
  for (const reason of reasons) {
    const id = JSON.stringify([reason.kind, reason.at, reason.key])
    const group = groups.get(id)
    if (group === undefined) groups.set(id, [reason])
    else group.push(reason)
  }
  return groups.values()
}

/** Whether the change is reported already, as one that breaks. */
function isSaid([first]: readonly Reason[], forward: readonly Reason[]): boolean {
  if (first === undefined) return true
  const path = JSON.stringify(first.at).slice(0, -1)
  return forward.some((reason) => {
    const other = JSON.stringify(reason.at).slice(0, -1)
    const isAbove = path === other || path.startsWith(other === '[' ? '[' : `${other},`)
    if (reason.kind === 'type' || reason.kind === 'option' || reason.kind === 'unclear') return isAbove
    if (reason.key !== null && reason.key === first.key && path === other) return true
    if (reason.kind === 'value') return path === other && first.kind !== 'value'
    return path === other && ((reason.kind === first.kind && reason.key === first.key) || isUndecided(first))
  })
}

/** `body.authors[].name`. */
function toPath(root: string, { at, key, kind }: Reason): string {
  const isOfKey = kind === 'required' || kind === 'closed' || kind === 'key'
  let path = root
  for (const each of isOfKey && key !== null ? [...at, key] : at) {
    if (/^\[\d*\]$/.test(each)) path += each
    else if (each === '{}') path += '.*'
    else path += /^[\w$-]+$/.test(each) ? `${path === '' ? '' : '.'}${each}` : `[${JSON.stringify(each)}]`
  }
  return path
}
