import { type RefObject, useInsertionEffect, useRef } from 'react'

/** The value of the last render that was shown. Set before all other effects. */
export function useLatest<T>(value: T): RefObject<T> {
  const ref = useRef(value)
  useInsertionEffect(() => {
    ref.current = value
  })
  return ref
}
