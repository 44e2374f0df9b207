import type { Fields } from './call-error.ts'

/** A place in the publications of a topic. */
export interface Position {
  readonly epoch: string
  readonly offset: number
}

export function toPosition({ epoch, offset }: Fields): Position | null {
  return typeof epoch === 'string' && typeof offset === 'number' ? { epoch, offset } : null
}
