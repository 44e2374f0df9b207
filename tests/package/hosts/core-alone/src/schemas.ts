// Any Standard Schema will do: these are written by hand, in a host without a validator.
import type { Schema } from '@twinwire/core'

export interface Task {
  readonly id: number
  readonly title: string
}

export const NewTask = schema<{ title: string }>((value) => {
  const title = isRecord(value) ? value.title : undefined
  return typeof title === 'string' && title !== '' ? { title } : null
})
export const TaskSchema = schema<Task>((value) => {
  if (!isRecord(value)) return null
  const { id, title } = value
  return typeof id === 'number' && typeof title === 'string' ? { id, title } : null
})
export const TaskList = schema<readonly Task[]>((value) => (Array.isArray(value) ? value : null))

function schema<T>(read: (value: unknown) => T | null): Schema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'host',
      validate: (value) => {
        const found = read(value)
        return found === null ? { issues: [{ message: 'Not what was expected' }] } : { value: found }
      },
    },
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
