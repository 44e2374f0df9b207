import { expect, it } from 'vitest'
import { uuidPattern } from '../protocol/frame.ts'
import { nextSerial, toConnectionId, toSerial } from './connection-id.ts'

it('makes ids in the form of a UUID, and finds the number of each', () => {
  const serials = [nextSerial(), nextSerial(), 1, 2 ** 31, 2 ** 48 - 1]
  const ids = serials.map(toConnectionId)
  expect(new Set(ids).size).toBe(new Set(serials).size)
  for (const id of ids) expect(id).toMatch(uuidPattern)
  for (const id of ids) expect(id[14]).toBe('4')
  expect(ids.map(toSerial)).toEqual(serials)
})

it.each(['', 'x', '00000000-0000-0000-0000-000000000000', '00000000-0000-4000-8000-000000000001'])(
  'finds no connection by %j',
  (id) => {
    expect(toSerial(id)).toBe(0)
  },
)

it('finds no connection by another spelling of an id', () => {
  const id = toConnectionId(0xabc)
  for (const other of [id.toUpperCase(), `${id} `, `${id}0`, `${id.slice(0, 24)}abc`, `${id.slice(0, -3)}abx`])
    expect(toSerial(other)).toBe(0)
})
