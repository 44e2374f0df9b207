/** Bytes of a file: `end` is behind the last one. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

const oneRange = /^(\d*)-(\d*)$/

/**
 * The bytes that a `Range` header asks for of a file of `size` bytes. Null: send the whole file, because there is no header, its unit is another one,
 * it is not valid (`bytes=9-0`), or it asks for several ranges.
 *
 * @example
 * parseRange('bytes=0-99', 1000) // { start: 0, end: 100 }
 * parseRange('bytes=-100', 1000) // { start: 900, end: 1000 }
 * parseRange('bytes=1000-', 1000) // 'unsatisfiable'
 */
export function parseRange(header: string, size: number): ByteRange | 'unsatisfiable' | null {
  if (!/^bytes=/i.test(header)) return null
  const list = header.slice(6)
  // Empty members are allowed.
  const members = list.length > 256 ? [] : list.split(',').filter((member) => member.trim() !== '')
  const [only] = members
  if (only === undefined || members.length > 1) return null
  const [, first = '', last = ''] = oneRange.exec(only.trim()) ?? []
  if (first === '') {
    if (last === '') return null
    const length = Math.min(Number(last), size)
    if (Number(last) === 0) return 'unsatisfiable'
    // Of an empty file there is no range to name.
    return size === 0 ? null : { start: size - length, end: size }
  }
  const start = Number(first)
  if (last !== '' && BigInt(last) < BigInt(first)) return null
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}
