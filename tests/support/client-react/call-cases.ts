import { Component, createElement, type ReactNode } from 'react'
import { equal, text, until } from '../client-hosts/assertions.ts'
import { type Cases, hooks } from './harness.ts'

const { useCall } = hooks

interface HoldProps {
  readonly name: string
  readonly keepPrevious?: boolean
  readonly enabled?: boolean
}

/** What was shown, each render that differs from the one before. */
function recorder() {
  const shown: string[] = []
  return { shown, show: (value: unknown) => void (shown.at(-1) === text(value) || shown.push(text(value))) }
}

class Boundary extends Component<{ readonly children?: ReactNode; readonly caught: unknown[] }> {
  override state = { failed: false }
  static getDerivedStateFromError(): object {
    return { failed: true }
  }
  override componentDidCatch(error: unknown): void {
    this.props.caught.push(error)
  }
  override render(): ReactNode {
    return this.state.failed ? 'failed' : this.props.children
  }
}

export const callCases: Cases = {
  'useCall runs once, also in strict mode, and again when the input changes by value': async ({ open, mount }) => {
    const { client, sent } = open()
    const { shown, show } = recorder()
    const List = ({ page }: { page: number }): ReactNode => {
      const { status, data } = useCall('LIST', { page })
      show([page, status, data?.items ?? null])
      return null
    }
    // Open: what waits for a connection could be aborted before it is sent.
    await client.call('OPEN_STREAMS')
    const { render } = mount(client)
    render(createElement(List, { page: 1 }))
    await until(() => shown.at(-1) === text([1, 'success', [{ n: 1 }]]), 'the first page')
    // The same value in another object.
    render(createElement(List, { page: 1, key: undefined }))
    render(createElement(List, { page: 2 }))
    await until(() => shown.at(-1) === text([2, 'success', [{ n: 2 }]]), 'the second page')
    equal(
      shown,
      [
        [1, 'loading', null],
        [1, 'success', [{ n: 1 }]],
        [2, 'loading', null],
        [2, 'success', [{ n: 2 }]],
      ].map(text),
    )
    equal(
      sent.filter((each) => each === 'LIST'),
      ['LIST', 'LIST'],
    )
  },

  'useCall never shows the answer to an earlier input, and aborts its call': async ({ open, mount, host }) => {
    const { client } = open()
    const other = open().client
    const { shown, show } = recorder()
    const signals: (AbortSignal | undefined)[] = []
    const watched = new Proxy(client, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: readonly { readonly signal?: AbortSignal }[]) => {
          if (name === 'call') signals.push(args[2]?.signal)
          return Reflect.apply(value, target, args)
        }
      },
    })
    const Held = ({ name, keepPrevious = false }: HoldProps): ReactNode => {
      const { data, isPrevious } = useCall('HOLD', { key: `${host}-${name}` }, { keepPrevious })
      show([name, data ?? null, isPrevious])
      return null
    }
    const release = (name: string) => until(() => other.call('RELEASE', { key: `${host}-${name}` }), `released ${name}`)
    const { render, unmount } = mount(watched)
    render(createElement(Held, { name: 'a' }))
    const sent = async (count: number, name: string): Promise<void> => {
      await until(() => signals.length === count, `the call of ${name}`)
      // It is behind that call.
      await client.call('OPEN_STREAMS')
    }
    await sent(1, 'a')
    render(createElement(Held, { name: 'b' }))
    await release('b')
    await until(() => shown.at(-1) === text(['b', `${host}-b`, false]), 'b')
    await release('a')
    render(createElement(Held, { name: 'c', keepPrevious: true }))
    await until(() => shown.at(-1) === text(['c', `${host}-b`, true]), 'b is shown until c is there')
    await release('c')
    await until(() => shown.at(-1) === text(['c', `${host}-c`, false]), 'c')
    render(createElement(Held, { name: 'd' }))
    await sent(4, 'd')
    unmount()
    await release('d')
    equal(shown, [
      text(['a', null, false]),
      text(['b', null, false]),
      text(['b', `${host}-b`, false]),
      text(['c', `${host}-b`, true]),
      text(['c', `${host}-c`, false]),
      text(['d', null, false]),
    ])
    equal(
      signals.map((signal) => signal?.aborted),
      [true, true, true, true],
    )
  },

  'useCall shows an error, and what refetch() brings': async ({ open, mount }) => {
    const { client } = open()
    const { shown, show } = recorder()
    let refetch = (): void => {}
    const Failing = ({ n }: { n: number }): ReactNode => {
      const result = useCall('FAIL', { n })
      refetch = result.refetch
      show([n, result.status, result.isFetching, result.error?.code ?? result.data ?? null])
      return null
    }
    const { render } = mount(client)
    render(createElement(Failing, { n: 10 }))
    await until(() => shown.length === 2, 'the error')
    refetch()
    await until(() => shown.length === 4, 'the error of the other call')
    render(createElement(Failing, { n: 9 }))
    await until(() => shown.length === 6, 'an answer')
    const code = 'validation_error'
    equal(
      shown,
      [
        [10, 'loading', true, null],
        [10, 'error', false, code],
        [10, 'error', true, code],
        [10, 'error', false, code],
        [9, 'loading', true, null],
        [9, 'success', false, 9],
      ].map(text),
    )
  },

  'useCall that is not enabled runs by refetch() alone': async ({ open, mount }) => {
    const { client, sent } = open()
    let refetch = (): void => {}
    const Who = ({ enabled }: { enabled: boolean }): ReactNode => {
      const result = useCall('WHO', undefined, { enabled })
      refetch = result.refetch
      return result.status
    }
    const { render, part } = mount(client)
    render(createElement(Who, { enabled: false }))
    await until(() => part.textContent === 'idle', 'idle')
    await client.call('OPEN_STREAMS')
    equal(sent.includes('WHO'), false)
    refetch()
    await until(() => part.textContent === 'success', 'the answer')
    render(createElement(Who, { enabled: true }))
    await until(() => sent.filter((each) => each === 'WHO').length === 2, 'another call')
  },

  'an error that is not of a call goes to the error boundary': async ({ open, mount, manifest }) => {
    const { client } = open()
    const { WHO: _, ...routes } = manifest.routes
    const stale = new Proxy(client, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (name === 'call')
          return async () => Promise.reject(new TypeError(`${text(Object.keys(routes).length)} routes`))
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const caught: unknown[] = []
    const Who = (): ReactNode => useCall('WHO').status
    const { render, part } = mount(stale)
    render(createElement(Boundary, { caught }, createElement(Who)))
    await until(() => part.textContent === 'failed', 'the boundary')
    equal(caught[0] instanceof TypeError, true)
  },
}
