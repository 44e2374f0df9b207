import { expect, it } from 'vitest'
import { CounterCell } from '../base/cells.ts'
import { createTestLogger } from '../testing/test-logger.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import type { ControlMessage } from './broker.ts'
import { ControlSender } from './control-sender.ts'

/** A sender whose broker does what `answer` says for each attempt. */
function create(answer: (attempt: number, message: ControlMessage) => void | Promise<void>) {
  const clock = createVirtualClock()
  const log = createTestLogger()
  const attempts: { readonly type: string; readonly keepMs: number }[] = []
  const cells = { sent: new CounterCell(), retried: new CounterCell(), lost: new CounterCell() }
  const control = (message: ControlMessage, keepMs: number): void | Promise<void> => {
    attempts.push({ type: message.type, keepMs })
    return answer(attempts.length, message)
  }
  const sender = new ControlSender({ broker: { control }, clock, log, ...cells })
  const counts = () => ({ sent: cells.sent.value, retried: cells.retried.value, lost: cells.lost.value })
  const messages = (level: string) => log.lines.filter((line) => line.level === level).map(({ message }) => message)
  return { sender, clock, log, attempts, counts, messages }
}

const message = (type = 'test'): ControlMessage => ({ type, data: null })
const refuse = (): never => {
  throw new Error('no connection')
}

it('answers at once with a broker that does', () => {
  const { sender, counts } = create(() => {})
  sender.start()
  expect(sender.send(message(), 0)).toBe(true)
  expect(counts()).toEqual({ sent: 1, retried: 0, lost: 0 })
})

it('sends what the broker did not take again until it does, with the time that is left, and logs one line for all', async () => {
  const { sender, clock, attempts, counts, messages } = create((attempt) => (attempt <= 3 ? refuse() : undefined))
  sender.start()
  expect([sender.send(message('a'), 60_000), sender.send(message('b'), 60_000)]).toEqual([false, false])
  expect(sender.waiting).toBe(2)
  await clock.advance(10_000)
  expect(sender.waiting).toBe(0)
  expect(attempts.map(({ type }) => type)).toEqual(['a', 'b', 'a', 'a', 'b'])
  // After 250 ms, and 500 ms more.
  expect(attempts.map(({ keepMs }) => keepMs)).toEqual([60_000, 60_000, 59_750, 59_250, 59_250])
  expect(counts()).toEqual({ sent: 2, retried: 3, lost: 0 })
  expect(messages('error')).toEqual(['The broker does not take control messages: they are sent again until it does'])
  expect(messages('info')).toEqual(['The broker has taken the control messages that waited'])
})

it('what need not be kept is not sent again', async () => {
  const { sender, clock, attempts, counts, messages } = create(refuse)
  sender.start()
  expect(sender.send(message(), 0)).toBe(false)
  await clock.advance(60_000)
  expect([attempts.length, counts()]).toEqual([1, { sent: 0, retried: 0, lost: 1 }])
  expect(messages('error')).toEqual(['The broker did not take a control message, and it is not sent again'])
})

it('gives up when the time is over, and says so', async () => {
  const { sender, clock, counts, messages } = create(refuse)
  sender.start()
  void sender.send(message(), 7000)
  await clock.advance(60_000)
  expect([sender.waiting, clock.pendingTimers, counts().lost]).toEqual([0, 0, 1])
  expect(messages('error')).toContain('The broker did not take control messages within the time for which they matter')
})

it('a message that is taken takes along those that wait', async () => {
  let isDown = true
  const { sender, clock, counts } = create(() => (isDown ? refuse() : undefined))
  sender.start()
  for (let i = 0; i < 10; i++) void sender.send(message(), 600_000)
  await clock.advance(30_000)
  isDown = false
  expect(sender.send(message(), 0)).toBe(true)
  await clock.advance(0)
  expect([sender.waiting, counts().sent]).toEqual([0, 11])
})

it('an attempt that is not answered counts as failed, unless it succeeds later', async () => {
  let answer: () => void = () => {}
  const { sender, clock, attempts, counts } = create(
    () =>
      new Promise((resolve) => {
        answer = resolve
      }),
  )
  sender.start()
  const sent = sender.send(message(), 60_000)
  await clock.advance(3000)
  expect(await sent).toBe(false)
  answer()
  await clock.advance(1000)
  expect([attempts.length, sender.waiting, counts().sent]).toEqual([1, 0, 1])
})

it('a rejection of the broker is a result, not a rejection', async () => {
  const { sender } = create(async () => refuse())
  sender.start()
  expect(await sender.send(message(), 1000)).toBe(false)
})

it('what is sent before the start waits for it', async () => {
  const { sender, clock, attempts } = create(() => {})
  expect(sender.send(message(), 1000)).toBe(false)
  await clock.advance(500)
  expect(attempts).toEqual([])
  sender.start()
  await clock.advance(0)
  expect([attempts.length, sender.waiting]).toEqual([1, 0])
})

it('holds a limited number of messages', () => {
  const { sender, counts, messages } = create(refuse)
  sender.start()
  for (let i = 0; i < 10_002; i++) void sender.send(message(), 60_000)
  expect([sender.waiting, counts().lost]).toEqual([10_000, 2])
  expect(messages('error').at(-1)).toContain('10000 wait already')
})

it('a flush resolves when the broker has everything, also what is on its way', async () => {
  let isDown = true
  const { sender, clock } = create(async () => (isDown ? refuse() : undefined))
  sender.start()
  void sender.send(message(), 600_000)
  let isFlushed = false
  const flushed = sender.flush().then(() => {
    isFlushed = true
  })
  await clock.advance(1000)
  expect(isFlushed).toBe(false)
  isDown = false
  await clock.advance(100)
  expect([isFlushed, sender.waiting]).toEqual([true, 0])
  await flushed
})

it('what waits at the close is lost, and nothing is sent after it', async () => {
  const { sender, clock, attempts, counts, messages } = create(refuse)
  sender.start()
  void sender.send(message(), 600_000)
  sender.close()
  expect(sender.send(message(), 600_000)).toBe(false)
  await clock.advance(60_000)
  expect([attempts.length, counts().lost, clock.pendingTimers]).toEqual([1, 2, 0])
  expect(messages('error')).toContain(
    'The app has closed before the broker took all control messages: other nodes do not receive them',
  )
})
