import { expect, it } from 'vitest'
import { Instruments } from '../base/instruments.ts'
import { createWebSocketInstruments } from './websocket-instruments.ts'

function valuesOf(instruments: Instruments, name: string): Record<string, number> {
  const cells = instruments.families().find((family) => family.name === name)?.cells ?? []
  return Object.fromEntries(
    cells
      .map(({ labels, cell }) => [Object.values(labels)[0] ?? '', 'value' in cell ? cell.value : Number.NaN] as const)
      .filter(([, value]) => value !== 0),
  )
}

it('counts how connections began and ended; a code without a series of its own is unmatched', () => {
  const instruments = new Instruments()
  const { connection, closed, active } = createWebSocketInstruments(instruments)
  connection('accepted')
  connection('rejected_limit')
  for (const code of [1013, 4999, 3000]) closed({ code })
  active.inc()
  expect(valuesOf(instruments, 'ws_connections_total')).toEqual({ accepted: 1, rejected_limit: 1 })
  expect(valuesOf(instruments, 'ws_closes_total')).toEqual({ 1013: 1, unmatched: 2 })
  expect(valuesOf(instruments, 'ws_connections_active')).toEqual({ '': 1 })
})

it('reads what is under way from the connections, when it is asked', () => {
  const instruments = new Instruments()
  const open = new Set<{ inFlight: number; bufferedBytes: number }>()
  createWebSocketInstruments(instruments).watch(open)
  const read = (name: string) => valuesOf(instruments, name)['']
  expect(['ws_messages_in_progress', 'ws_buffered_bytes', 'ws_buffered_bytes_max'].map(read)).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  open.add({ inFlight: 2, bufferedBytes: 100 }).add({ inFlight: 3, bufferedBytes: 7 })
  expect(['ws_messages_in_progress', 'ws_buffered_bytes', 'ws_buffered_bytes_max'].map(read)).toEqual([5, 107, 100])
})
