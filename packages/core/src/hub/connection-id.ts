import { randomUUID } from 'node:crypto'

/** The first 24 characters of all ids of this process. */
let prefix = ''
let last = 0

/** The number of a new connection: what this process finds it by. */
export function nextSerial(): number {
  return ++last
}

/** The number of the newest connection. */
export function lastSerial(): number {
  return last
}

/**
 * The id of a connection in the form of a UUID of version 4: 74 random bits of this process, then its number. Made when it is read, because
 * the text of a UUID takes a quarter of what an idle connection takes. It is a name and never a secret.
 */
export function toConnectionId(serial: number): string {
  if (prefix === '') prefix = randomUUID().slice(0, 24)
  return prefix + serial.toString(16).padStart(12, '0')
}

/** 0, which no connection has, for an id of another process, and for what is not an id. */
export function toSerial(id: string): number {
  const serial = Number.parseInt(id.slice(24), 16)
  return serial > 0 && toConnectionId(serial) === id ? serial : 0
}
