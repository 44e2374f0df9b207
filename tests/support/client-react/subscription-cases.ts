import type { SubscriptionResult } from '@twinwire/client/react'
import { createElement, Fragment, type ReactNode, useState } from 'react'
import { equal, post, text, until } from '../client-hosts/assertions.ts'
import { type Cases, hooks } from './harness.ts'

const { useEvent, useSubscription } = hooks

interface TopicProps {
  readonly topic: string | null
  readonly received: unknown[]
  readonly mark?: string
}

let last: SubscriptionResult | null = null

function Topic({ topic, received, mark = '' }: TopicProps): ReactNode {
  const result = useSubscription(topic, {
    onEvent: ({ event, data }) => {
      if (event === 'TOLD' && 'n' in data) received.push(`${mark}${data.n}`)
    },
    onGap: () => received.push('gap'),
  })
  last = result
  return result.status === 'ended' ? result.error.code : result.status
}

export const subscriptionCases: Cases = {
  'useSubscription asks the server once, and calls the listeners of the last render': async (host) => {
    const { open, mount, control } = host
    const topic = `chat:react-${host.host}`
    const publish = (name: string, n: number) => post(`${control}/publish?topic=${name}&n=${n}`)
    const { client, sent } = open()
    const frames = () => sent.filter((each) => each.endsWith('subscribe'))
    // Open: else the first subscription of strict mode would end before it is sent.
    await client.call('OPEN_STREAMS')
    const [received, others]: [unknown[], unknown[]] = [[], []]
    const { render, part, unmount } = mount(client)
    const two = (props: TopicProps): ReactNode =>
      createElement(Fragment, null, createElement(Topic, { topic, received: others }), createElement(Topic, props))
    render(two({ topic, received }))
    await until(() => part.textContent === 'joinedjoined', 'joined')
    await publish(topic, 1)
    await until(() => received.length === 1, 'the first event')
    render(two({ topic, received, mark: 'later ' }))
    await until(async () => {
      await publish(topic, 2)
      return received.includes('later 2')
    }, 'the listener of the second render')
    equal(frames(), ['subscribe'])
    equal(received[0], '1')
    equal(others.length, received.length)
    equal(typeof last?.getPosition()?.offset, 'number')

    render(createElement(Topic, { topic: `${topic}-b`, received }))
    await until(() => part.textContent === 'joined', 'the other topic')
    equal(frames().sort(), ['subscribe', 'subscribe', 'unsubscribe'])
    render(createElement(Topic, { topic: null, received }))
    await until(() => part.textContent === 'idle', 'none')
    unmount()
    await client.call('OPEN_STREAMS')
    equal(frames().sort(), ['subscribe', 'subscribe', 'unsubscribe', 'unsubscribe'])
  },

  'useSubscription and useEvent miss nothing while the connection is away': async (host) => {
    const { open, mount, control } = host
    const topic = `chat:react-away-${host.host}`
    const publish = (n: number) => post(`${control}/publish?topic=${topic}&n=${n}`)
    const { client } = open()
    const received: unknown[] = []
    const Heard = (): ReactNode => {
      const [heard, setHeard] = useState<readonly number[]>([])
      useEvent('TOLD', ({ n }) => setHeard((before) => [...before, n]))
      return text(heard)
    }
    const { render, part } = mount(client)
    render(createElement(Fragment, null, createElement(Topic, { topic, received }), createElement(Heard)))
    await until(() => part.textContent === 'joined[]', 'joined')
    await publish(1)
    await until(() => received.length === 1, 'the first event')
    await post(`${control}/down`)
    await until(() => client.state.status !== 'open', 'the connection was cut')
    for (const n of [2, 3]) await publish(n)
    await post(`${control}/up`)
    await until(() => part.textContent === 'joined[1,2,3]', 'what was missed')
    equal(received, ['1', '2', '3'])
  },

  'useSubscription of a topic that is refused ends, and can be tried again': async ({ open, mount }) => {
    const { client, sent } = open()
    const { render, part } = mount(client)
    render(createElement(Topic, { topic: 'nowhere', received: [] }))
    await until(() => part.textContent !== 'joining' && part.textContent !== '', 'refused')
    equal(['not_found', 'permission_denied', 'validation_error'].includes(part.textContent ?? ''), true)
    last?.resubscribe()
    await until(() => sent.filter((each) => each === 'subscribe').length === 2, 'asked again')
  },
}
