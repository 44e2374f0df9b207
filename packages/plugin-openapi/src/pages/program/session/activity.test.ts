import { expect, it } from 'vitest'
import { Activity, type NewEntry } from './activity.ts'
import { Mask } from './mask.ts'

const entry = (change: Partial<NewEntry>): NewEntry => ({
  kind: 'event',
  title: 'CHANGED',
  state: 'info',
  facts: [],
  message: '',
  data: undefined,
  ...change,
})
const call = entry({ kind: 'call', state: 'waiting' })

it('a call that waits keeps its place, however much arrives before its reply', () => {
  const activity = new Activity(new Mask())
  const waiting = activity.add(call)
  for (let i = 0; i < 500; i += 1) activity.add(entry({ kind: i % 2 === 0 ? 'call' : 'event', state: 'ok' }))
  activity.clear()
  activity.update(waiting, { state: 'ok', message: 'the reply' })
  expect(activity.all.map(({ message }) => message)).toEqual(['the reply'])
})

it('many events do not remove replies; the last 200 of each kind are kept', () => {
  const activity = new Activity(new Mask())
  activity.update(activity.add(call), { state: 'ok', message: 'the reply' })
  for (let i = 0; i < 500; i += 1) activity.add(entry({ message: `event ${i}` }))
  expect(activity.all.length).toBe(201)
  expect([activity.all[0]?.message, activity.all[1]?.message]).toEqual(['the reply', 'event 300'])
})

it('shows no token, in data and messages', () => {
  const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl'
  const activity = new Activity(new Mask())
  const { id } = activity.add(call)
  const reply = activity.update(activity.all[0] ?? { ...call, id, at: 0 }, {
    message: `It was ${jwt}`,
    data: { token: jwt, expires_in: 300, list: [' '.repeat(20_000), jwt] },
  })
  expect(reply.message).toBe('It was ••••')
  expect(activity.textOf(reply)).not.toContain('eyJ')
  expect(activity.textOf(reply)).toContain('"token": "••••"')
  expect(activity.textOf(reply)).toContain('more characters')
})
