import { expect, it } from 'vitest'
import { mayTakeCall } from './may-take-call.ts'

type Values = readonly unknown[]
const use = (...values: Values): Values => values

it.each<[string, (input: never) => unknown]>([
  ['bare', (input) => use(input)],
  ['async', async (input) => use(input)],
  ['destructured', ({ a, b = [1, 2] }: { a: string; b?: number[] }) => use(a, b)],
  [
    'a function with several statements',
    function handle(input: unknown) {
      const both = [input, 1]
      return use(both, 'a')
    },
  ],
  ['a method', { handle: (input: unknown) => use(input) }.handle],
])('a handler with one parameter does not take the call: %s', (_name, handler) => {
  expect(mayTakeCall(handler)).toBe(false)
})

class Service {
  run(input: unknown, call = null as unknown): Values {
    return use(input, call)
  }
}

it.each<[string, object]>([
  ['two parameters', (input: unknown, call: unknown) => use(input, call)],
  ['rest parameters', (input: unknown, ...rest: Values) => use(input, rest)],
  ['a default', (input: unknown, call: unknown = null) => use(input, call)],
  ['a default behind a destructured input', ({ a }: { a: string }, call: unknown = null) => use(a, call)],
  ['a method with a default', new Service().run],
  [
    'arguments',
    function handle(_input: unknown) {
      // biome-ignore lint/complexity/noArguments: what is tested
      return use(arguments[1])
    },
  ],
  ['a bound function', ((input: unknown, ...rest: Values) => use(input, rest)).bind(null)],
  ['a proxy', new Proxy((input: unknown) => use(input), {})],
  [
    'its own toString',
    Object.assign((input: unknown, ...rest: Values) => use(input, rest), { toString: () => 'a => a' }),
  ],
  ['a string among the parameters', ({ a = ')' }: { a?: string }, call: unknown = null) => use(a, call)],
])('a handler may take the call although its length is 1: %s', (_name, handler) => {
  expect(mayTakeCall(handler)).toBe(true)
})
