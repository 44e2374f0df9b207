import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Logger } from '../base/logger.ts'
import { ActiveCall } from '../call/active-call.ts'
import type { CallPeer } from '../call/call-context.ts'
import type { CallOutcome } from '../call/call-outcome.ts'
import type { CallServices } from '../call/call-services.ts'
import type { CompiledRoute } from '../call/compiled-route.ts'
import { Deadlines } from '../call/deadlines.ts'
import type { Identity } from '../call/identity.ts'
import { type AppError, AuthenticationError, ConflictError } from '../errors/app-error.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import type { BoundWrapped } from './interceptors.ts'
import { compilePipeline, type Stages } from './pipeline.ts'

const user: Identity = { id: 'u', name: 'U' }
let log: string[]
let answers: { result?: unknown; code?: string; cause?: unknown }[]
let outcomes: CallOutcome[]
beforeEach(() => {
  log = []
  answers = []
  outcomes = []
})

const plain: Stages = {
  missingIdentity: null,
  guards: [],
  validate: null,
  checks: [],
  wrapped: [],
  execute: () => 'result',
  output: (value) => value,
  streams: false,
  repliesInside: false,
  onInput: null,
}

/** A call with real parts but for its wire, which reads `input` and notes the answer. */
function createCall(input: unknown = 'input', identity: Identity | null = null, laterInput = false): ActiveCall {
  const clock = createVirtualClock()
  const logger = { error: (fields: { err?: unknown }) => void log.push(`logged ${fields.err}`), warn: () => {} }
  const unused = (): never => {
    throw new Error('Not of this test')
  }
  const services: CallServices = {
    clock,
    log: { child: () => logger } as unknown as Logger,
    hub: { prepare: unused, send: unused },
    deadlines: new Deadlines(clock),
    commitTimeoutMs: 5000,
    usesTls: false,
    cookies: { secrets: [], secureByDefault: false },
    countLateOutcome: unused,
    rejections: { dropped: unused },
    errorMappers: [],
    access: null,
    errorLink: null,
    asyncContext: false,
    tracer: null,
    onCall: null,
    onReply: (_call, outcome) => void outcomes.push(outcome),
    hooksReadAddress: false,
    onWorkEnd: null,
    track: () => {},
  }
  const peer: CallPeer = {
    wire: 'ws',
    address: '127.0.0.1',
    headers: {},
    query: {},
    connection: null,
    traceparent: null,
    readInput(call, next) {
      log.push('input')
      if (laterInput) setImmediate(() => next(call, input))
      else next(call, input)
    },
    succeed(_call, result) {
      answers.push({ result })
      return 200
    },
    fail: (_call, error: AppError) => void answers.push({ code: error.code, cause: error.cause }),
    openItems: unused,
    ended: () => void log.push('ended'),
  }
  const compiled = {
    info: { name: 'R', pkgId: 1 },
    deadlineMs: 0,
    beforeReply: null,
    countWebSocket: () => {},
  } as unknown as CompiledRoute
  return new ActiveCall(compiled, peer, services, 'id', identity)
}

async function run(stages: Partial<Stages>, call = createCall()): Promise<ActiveCall> {
  compilePipeline({ ...plain, ...stages })(call)
  for (let turn = 0; turn < 3 && !call.settled; turn++) await new Promise((resolve) => setImmediate(resolve))
  return call
}

/** Every stage, noting when it ran; those whose bit is set answer by promise. */
function noting(asyncBits: number): Partial<Stages> {
  let bit = 0
  const note = <T>(name: string, value: T): T | Promise<T> => {
    log.push(name)
    return value
  }
  const stage = <A extends unknown[], T>(name: string, value: (...args: A) => T) => {
    const isAsync = (asyncBits & (1 << bit++)) !== 0
    return (...args: A): T | Promise<T> =>
      isAsync ? Promise.resolve().then(() => note(name, value(...args))) : note(name, value(...args))
  }
  return {
    missingIdentity: () => new AuthenticationError(),
    guards: [stage('guard1', () => ({ one: 1 })), stage('guard2', (call) => ({ two: (call as { one?: number }).one }))],
    validate: stage('validate', (input: unknown) => `valid ${input}`),
    checks: [stage('check1', () => {}), stage('check2', (input: unknown) => void expect(input).toBe('valid input'))],
    execute: stage('execute', (input: unknown, call: ActiveCall) => [input, (call as { two?: number }).two]),
    output: stage('output', (value: unknown) => ({ value })),
  }
}
const order = ['guard1', 'guard2', 'input', 'validate', 'check1', 'check2', 'execute', 'output', 'ended']

describe('the pipeline', () => {
  it('has one order, whatever mixture of its stages answers by promise', async () => {
    for (let bits = 0; bits < 2 ** 7; bits++) {
      log = []
      answers = []
      const call = await run(noting(bits), createCall('input', user, bits % 3 === 0))
      expect(log, `stages that are asynchronous: ${bits.toString(2)}`).toEqual(order)
      expect(answers).toEqual([{ result: { value: ['valid input', 1] } }])
      expect(call.settled).toBe(true)
    }
    expect(outcomes).toHaveLength(2 ** 7)
  })

  describe('of a call that is synchronous from end to end', () => {
    const Native = globalThis.Promise
    afterEach(() => {
      globalThis.Promise = Native
    })

    it('makes no promise and has ended when it returns', () => {
      const run = compilePipeline({ ...plain, ...noting(0) })
      const call = createCall('input', user)
      globalThis.Promise = class {
        constructor() {
          throw new Error('a promise was made')
        }
      } as unknown as PromiseConstructor
      run(call)
      globalThis.Promise = Native
      expect(log).toEqual(order)
      expect(answers).toEqual([{ result: { value: ['valid input', 1] } }])
    })
  })

  it('asks for the identity before anything else', async () => {
    await run(noting(0), createCall('input', null))
    expect(log).toEqual(['ended'])
    expect(answers).toEqual([{ code: 'authentication_failed', cause: undefined }])
  })

  it('adds all own properties of what a guard returns, symbols included, and no inherited ones', async () => {
    const symbol = Symbol('of a step')
    const adds = Object.assign(Object.create({ inherited: 1 }), { a: 1, b: 2 })
    const call = await run({ guards: [() => adds, () => ({ c: 3, [symbol]: 4 }), () => ({ a: 5 })] })
    expect(call).toMatchObject({ a: 5, b: 2, c: 3, [symbol]: 4 })
    expect('inherited' in call).toBe(false)
  })

  it('hands undefined to a route without an input', async () => {
    await run({ execute: (input) => [input] })
    expect(answers).toEqual([{ result: [undefined] }])
  })

  describe.each([
    [
      'thrown',
      <T>(error: Error): T => {
        throw error
      },
    ],
    ['rejected with', (error: Error) => Promise.reject(error) as never],
  ])('of an error that is %s', (_name, fail) => {
    const error = new ConflictError()
    it.each([
      ['guard', { guards: [() => fail<void>(error)] }, ['ended']],
      ['validation', { validate: () => fail(error) }, ['input', 'ended']],
      ['check', { validate: (input: unknown) => input, checks: [() => fail<void>(error)] }, ['input', 'ended']],
      ['handler', { execute: () => fail(error) }, ['input', 'ended']],
      ['output', { output: () => fail(error) }, ['input', 'ended']],
    ] satisfies [string, Partial<Stages>, string[]][])(
      'in a %s answers with it, once, and runs nothing more',
      async (_stage, stages, ran) => {
        const execute = 'execute' in stages || 'output' in stages ? {} : { execute: () => log.push('executed') }
        await run({ ...execute, ...stages } as Partial<Stages>)
        expect(answers).toEqual([{ code: 'conflict', cause: undefined }])
        expect(log).toEqual(ran)
        expect(outcomes).toMatchObject([{ error, aborted: false }])
      },
    )
  })

  it('answers what is unknown with internal_error, and logs its cause', async () => {
    await run({
      execute: () => {
        throw new Error('boom')
      },
    })
    expect(answers).toEqual([{ code: 'internal_error', cause: new Error('boom') }])
    expect(log).toContain('logged Error: boom')
  })

  it('goes no further once the call has been given up', async () => {
    const call = createCall()
    const gate = new Promise((resolve) => setImmediate(resolve))
    await run({ guards: [() => gate as Promise<void>], execute: () => log.push('executed') }, call)
    call.settled || call.abandon('left')
    const left = createCall()
    compilePipeline({ ...plain, guards: [() => gate.then(() => {})], execute: () => log.push('executed late') })(left)
    left.abandon('The client left')
    await new Promise((resolve) => setImmediate(resolve))
    expect(log).not.toContain('executed late')
    expect(outcomes.at(-1)).toMatchObject({ aborted: true, httpStatus: 499 })
  })
})

describe('interceptors', () => {
  const interceptor = (name: string, adds?: object): BoundWrapped => ({
    kind: 'interceptor',
    holdsEffects: false,
    mayRepeat: false,
    run: async (_call, next) => {
      log.push(`${name} in`)
      const outcome = await (next as (adds?: object) => Promise<never>)(adds)
      log.push(`${name} out`)
      return outcome
    },
  })

  it('wrap what is behind them, the first outermost', async () => {
    await run({ wrapped: [interceptor('a'), interceptor('b')], execute: () => log.push('execute') })
    expect(log).toEqual(['input', 'a in', 'b in', 'execute', 'b out', 'a out', 'ended'])
    expect(answers).toEqual([{ result: 4 }])
  })

  it('add for what they wrap, and only there', async () => {
    const db = (call: ActiveCall): unknown => (call as { db?: unknown }).db
    const call = await run({
      guards: [() => ({ db: 'pool' })],
      wrapped: [interceptor('a', { db: 'outer', more: 1 }), interceptor('b', { db: 'inner' })],
      execute: (_input, each) => [db(each), (each as { more?: number }).more],
    })
    expect(answers).toEqual([{ result: ['inner', 1] }])
    expect(db(call)).toBe('pool')
    expect('more' in call).toBe(false)
  })

  it.each([
    ['calls next twice', async (next: () => Promise<unknown>) => [await next(), await next()][1]],
    ['does not call it', async () => ({})],
    ['returns something else', async (next: () => Promise<unknown>) => ({ ...((await next()) as object) })],
  ])('that %s is a fault', async (_name, wrap) => {
    await run({
      wrapped: [
        {
          kind: 'interceptor',
          holdsEffects: false,
          mayRepeat: false,
          run: (_call, next) => wrap(next as never) as never,
        },
      ],
    })
    expect(answers).toMatchObject([{ code: 'internal_error' }])
  })

  it('see the failure of what they wrap, and may answer with another', async () => {
    const run1 = async (_call: unknown, next: () => Promise<never>): Promise<never> => {
      try {
        return await next()
      } catch (error) {
        log.push(`caught ${(error as Error).message}`)
        throw new ConflictError('Taken')
      }
    }
    await run({
      wrapped: [{ kind: 'interceptor', holdsEffects: false, mayRepeat: false, run: run1 as never }],
      execute: () => {
        throw new Error('boom')
      },
    })
    expect(log).toContain('caught boom')
    expect(answers).toMatchObject([{ code: 'conflict' }])
  })

  it('hold effects until they have succeeded', async () => {
    const hold = { ...interceptor('tx'), holdsEffects: true }
    const execute: Stages['execute'] = (_input, call) => {
      call.afterCommit(() => void log.push('effect'))
      log.push('execute')
    }
    await run({ wrapped: [hold], execute })
    expect(log).toEqual(['input', 'tx in', 'execute', 'tx out', 'effect', 'ended'])
    log = []
    await run({
      wrapped: [hold],
      execute: (input, call) => [execute(input, call), Promise.reject(new ConflictError())][1],
    })
    expect(log).not.toContain('effect')
  })
})
