/** True for a value that a schema would return as it is. After false the schema decides. */
export type Accept = (value: unknown) => boolean

export const isString = (value: unknown): value is string => typeof value === 'string'
export const isNumber = (value: unknown): value is number => typeof value === 'number' && !Number.isNaN(value)

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** Keys that valibot leaves out of an object with any keys. */
function isLeftOut(key: string): boolean {
  return key === '__proto__' || key === 'prototype' || key === 'constructor'
}

/** `rest`: what items behind the first ones have to be; null where there must be none. */
export function acceptList(members: readonly Accept[], rest: Accept | null): Accept {
  const least = members.length
  return (value) => {
    if (!Array.isArray(value) || Object.getPrototypeOf(value) !== Array.prototype) return false
    const list: readonly unknown[] = value
    if (list.length < least || (rest === null && list.length > least)) return false
    for (let i = 0; i < list.length; i++) {
      const item = list[i]
      const member = i < least ? members[i] : rest
      // A hole would become undefined.
      if (item === undefined || !member?.(item)) return false
    }
    return true
  }
}

/** A key of an object. */
export interface Entry {
  readonly key: string
  readonly required: boolean
  readonly accepts: Accept
}

/** `others`: what keys without an entry have to be; null where they are dropped or rejected. */
export function acceptObject(entries: readonly Entry[], others: Accept | null): Accept {
  const known = new Set(entries.map(({ key }) => key))
  return (value) => {
    if (!isPlainObject(value)) return false
    let at = 0
    for (const key in value) {
      let entry = entries[at++]
      // In the order of the schema; an entry that may be missing is passed over.
      while (entry !== undefined && entry.key !== key) {
        if (entry.required) return false
        entry = entries[at++]
      }
      if (entry !== undefined) {
        if (!entry.accepts(value[key])) return false
      } else if (others === null || known.has(key) || isLeftOut(key) || !others(value[key])) return false
    }
    for (let entry = entries[at]; entry !== undefined; entry = entries[++at]) if (entry.required) return false
    return true
  }
}

export function acceptRecord(keys: Accept, values: Accept): Accept {
  return (record) => {
    if (!isPlainObject(record)) return false
    for (const name in record) {
      if (isLeftOut(name) || !keys(name) || !values(record[name])) return false
    }
    return true
  }
}

/** `isDefault`: what is missing becomes a default, which is a change. */
export function acceptWrapped(type: string, accepts: Accept, isDefault: boolean): Accept {
  switch (type) {
    case 'optional':
    case 'undefinedable':
      return (value) => (value === undefined ? !isDefault : accepts(value))
    case 'nullable':
      return (value) => (value === null ? !isDefault : accepts(value))
    case 'nullish':
      return (value) => (value === null || value === undefined ? !isDefault : accepts(value))
    case 'non_optional':
      return (value) => value !== undefined && accepts(value)
    case 'non_nullable':
      return (value) => value !== null && accepts(value)
    case 'non_nullish':
      return (value) => value !== null && value !== undefined && accepts(value)
    default:
      return accepts
  }
}
