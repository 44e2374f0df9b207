import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Unsent } from './unsent.ts'
import { UwsBody } from './uws-body.ts'
import { UwsStream } from './uws-stream.ts'
import type { UwsResponse } from './uws-types.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** A stream to a client whose own body waits. `state.takes`: does it take anything? */
function paused() {
  const state = { takes: false, closed: false, resumes: 0, leave: () => {} }
  let arrive: (chunk: ArrayBuffer, isLast: boolean) => void = () => {}
  const res: UwsResponse = {
    onAborted(handler) {
      state.leave = handler
    },
    onData(handler) {
      arrive = handler
    },
    onWritable() {},
    pause() {},
    resume() {
      state.resumes++
    },
    cork: (write) => write(),
    writeStatus() {},
    writeHeader() {},
    write: () => state.takes,
    end() {},
    tryEnd: () => [true, true],
    getWriteOffset: () => 0,
    endWithoutBody() {},
    close() {
      state.closed = true
    },
    getRemoteAddress: () => new ArrayBuffer(4),
    upgrade() {},
  }
  const body = new UwsBody(res, 200_000, { enter() {}, leave() {}, fail: (error) => expect(error).toBe(null) })
  const reader = body.open(1_000_000)
  const stream = new UwsStream(res, body, { unsent: new Unsent(), streamEnds() {} })
  arrive(new ArrayBuffer(100_000), false)
  expect(body.isPaused).toBe(true)
  return { state, stream, reader }
}

it('a client that takes nothing for 30 s is cut, however seldom it is written to, and its writer is told', async () => {
  const { state, stream } = paused()
  const told: boolean[] = []
  for (let second = 0; second < 32; second++) {
    void stream.write(':\n\n').then((more) => told.push(more))
    await vi.advanceTimersByTimeAsync(1000)
    if (second < 29) expect(state.closed).toBe(false)
  }
  expect(state.closed).toBe(true)
  expect(stream.open).toBe(false)
  expect(told.indexOf(false)).toBeGreaterThanOrEqual(29)
})

it('a client that took something meanwhile is not cut', async () => {
  const { state, stream } = paused()
  for (let second = 0; second < 90; second++) {
    state.takes = second % 20 === 0
    void stream.write(':\n\n')
    await vi.advanceTimersByTimeAsync(1000)
  }
  expect(state.closed).toBe(false)
})

it('a client is not cut while nothing is written to it, because it may have taken all', async () => {
  const { state, stream } = paused()
  void stream.write('x')
  await vi.advanceTimersByTimeAsync(90_000)
  expect(state.closed).toBe(false)
  state.takes = true
  expect(await Promise.all([stream.write('y'), vi.advanceTimersByTimeAsync(1000)])).toEqual([true, expect.anything()])
})

it('a stream that has let go of its exchange ends its body when the client leaves, without a native call', () => {
  const { state, stream, reader } = paused()
  const left = vi.fn()
  stream.detach({ left })
  const before = state.resumes
  state.leave()
  expect(left).toHaveBeenCalledOnce()
  const pieces: unknown[] = []
  reader.read((piece) => pieces.push(piece))
  expect(pieces).toEqual(['aborted'])
  expect(state.resumes).toBe(before)
})
