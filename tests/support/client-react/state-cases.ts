import { createElement, type ReactNode, startTransition, useLayoutEffect, useState } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { equal, post, until } from '../client-hosts/assertions.ts'
import { type Cases, createPart, hooks, inProvider } from './harness.ts'

const { useCall, useConnectionState, useSubscription } = hooks

export const stateCases: Cases = {
  'useConnectionState follows the connection, and all components show the same': async ({ open, mount, control }) => {
    const { client } = open()
    const seen: string[] = []
    const torn: string[] = []
    const { render, part } = mount(client)
    const check = (): void => {
      const [status = '', ...others] = (part.textContent ?? '').trim().split(' ')
      if (others.some((other) => other !== status)) torn.push(part.textContent ?? '')
      if (seen.at(-1) !== status) seen.push(status)
    }
    const Status = (): ReactNode => {
      const { status } = useConnectionState()
      // Slow enough for a state to change between two of them.
      for (const end = performance.now() + 0.5; performance.now() < end; );
      useLayoutEffect(check)
      return `${status} `
    }
    let again = (): void => {}
    const Many = (): ReactNode => {
      const [turn, setTurn] = useState(0)
      again = () => startTransition(() => setTurn((before) => before + 1))
      return Array.from({ length: 40 }, (_, i) => createElement(Status, { key: `${i}-${turn}` }))
    }
    render(createElement(Many))
    await until(() => seen.includes('idle'), 'idle')
    client.connect()
    await until(() => {
      again()
      return seen.includes('open')
    }, 'open')
    await post(`${control}/down`)
    await until(() => {
      again()
      return seen.includes('waiting')
    }, 'waiting')
    await post(`${control}/up`)
    await until(() => seen.at(-1) === 'open', 'open again')
    equal(torn, [])
  },

  'a page is rendered on a server without a connection, and hydrated without a difference': async ({ open, host }) => {
    const { client, sent } = open()
    const Page = (): ReactNode => {
      const { status } = useConnectionState()
      const list = useCall('LIST', { page: 1 })
      const topic = useSubscription(`chat:ssr-${host}`)
      return `${status} ${list.status} ${topic.status}`
    }
    const page = (): ReactNode => inProvider(client, createElement(Page))
    const html = renderToString(page())
    equal([html, client.state.status, sent], ['idle loading joining', 'idle', []])
    const part = createPart(html)
    const problems: unknown[] = []
    const root = hydrateRoot(part, page(), { onRecoverableError: (error: unknown) => problems.push(String(error)) })
    await until(() => part.textContent === 'open success joined', 'alive')
    equal(problems, [])
    root.unmount()
  },
}
