import { type Changes, code } from './change.ts'
import { get, isNode, type Node, numberAt } from './json.ts'

const key = 'x-once'

/** `x-once`: whether a call that is sent again runs once, for how long, and whether it has to have a key. */
export function compareOnce(old: Node, now: Node, where: string, changes: Changes): void {
  const [before, after] = [get(old, key), get(now, key)]
  if (isNode(before) && !isNode(after))
    changes.add('once', where, key, 'a call that is sent again is no longer answered from the first: it runs twice')
  if (!isNode(after)) return
  if (!isNode(before))
    changes.add('once-relaxed', where, key, 'a call that is sent again is now answered from the first')
  else compareRetention(before, after, where, changes)
  if (changes.wire !== 'http') return
  const [had, has] = [isNode(before) && get(before, 'required') === true, get(after, 'required') === true]
  if (had !== has)
    changes.add(
      has ? 'once' : 'once-relaxed',
      where,
      `${key}.required`,
      has
        ? `calls now need the header ${code('Idempotency-Key')}: those without it are refused`
        : `calls no longer need the header ${code('Idempotency-Key')}`,
    )
}

function compareRetention(old: Node, now: Node, where: string, changes: Changes): void {
  const [before, after] = [numberAt(old, 'retention_ms'), numberAt(now, 'retention_ms')]
  if (before === null || after === null || before === after) return
  const change = `an answer was kept for ${before} ms, now ${after} ms`
  const at = `${key}.retention_ms`
  if (after < before) changes.add('once', where, at, `${change}: a call that is sent again later runs twice`)
  else changes.add('once-relaxed', where, at, change)
}
