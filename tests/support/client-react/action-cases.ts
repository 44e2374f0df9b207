import { CallError } from '@twinwire/client'
import { createElement, type ReactNode } from 'react'
import { equal, text, until } from '../client-hosts/assertions.ts'
import { type Cases, hooks } from './harness.ts'

const { useAction } = hooks

export const actionCases: Cases = {
  'useAction runs when it is told to, and shows the last run': async ({ open, mount, host }) => {
    const { client, sent } = open()
    const useHold = () => useAction('HOLD')
    const last: { action?: ReturnType<typeof useHold> } = {}
    const Hold = (): ReactNode => {
      const action = useHold()
      last.action = action
      return text([action.status, action.data ?? null])
    }
    const shows = (value: unknown) => until(() => part.textContent === text(value), text(value))
    const release = (name: string) =>
      until(() => client.call('RELEASE', { key: `${host}-${name}` }), `released ${name}`)
    const { render, part } = mount(client)
    render(createElement(Hold))
    await shows(['idle', null])
    equal(sent.includes('HOLD'), false)
    last.action?.run({ key: `${host}-x` })
    await shows(['running', null])
    last.action?.run({ key: `${host}-y` })
    await release('y')
    await shows(['success', `${host}-y`])
    // The first run is not shown any more.
    await release('x')
    equal(part.textContent, text(['success', `${host}-y`]))
    last.action?.reset()
    await shows(['idle', null])
  },

  'useAction: run() rejects nothing, runAsync() rejects with the error that is shown': async ({ open, mount }) => {
    const { client } = open()
    const useFail = () => useAction('FAIL', { timeoutMs: 20_000 })
    const last: { action?: ReturnType<typeof useFail> } = {}
    const Fail = (): ReactNode => {
      const action = useFail()
      last.action = action
      return action.status === 'error' ? action.error.code : action.status
    }
    const { render, part } = mount(client)
    render(createElement(Fail))
    await until(() => part.textContent === 'idle', 'idle')
    last.action?.run({ n: 10 })
    await until(() => part.textContent === 'validation_error', 'the error')
    const error = await last.action?.runAsync({ n: 11 }).catch((reason: unknown) => reason)
    equal(error instanceof CallError, true)
    equal(await last.action?.runAsync({ n: 3 }), 3)
    await until(() => part.textContent === 'success', 'success')
  },
}
