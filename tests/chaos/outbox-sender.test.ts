// The process that holds the lock of the outbox's sender is killed or frozen: another one takes over, and everything is published once, in order.
import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type BuiltApp, buildApp } from '../support/built-app.ts'
import { readStream } from '../support/chaos-ledger.ts'
import { ChaosNode, TransactionWatch } from '../support/chaos-node.ts'
import { startChaosObserver } from '../support/chaos-observer.ts'
import { chaosDdl } from '../support/chaos-shared.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { hasRedis, redisClient, startRedis } from '../support/redis.ts'

const topic = 'marks:0'
/** Answers of a transaction that sends: to BEGIN, to the lock, to the query of the rows, to their removal, to COMMIT. */
const answers = { rows: 3, removal: 4 } as const

describe.skipIf(!(await hasPostgres()) || !(await hasRedis()))('the sender of the outbox', () => {
  let app: BuiltApp
  beforeAll(async () => {
    app = await buildApp('chaos-app.ts')
  })
  afterAll(() => app.remove())

  const setUp = async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const query = postgres(server.url, { max: 1, onnotice: () => {} })
    onTestFinished(() => query.end())
    await query.unsafe(chaosDdl)
    const observer = await startChaosObserver(redis, [topic])
    onTestFinished(() => observer.close())
    const client = redisClient(redis.url)
    onTestFinished(() => client.disconnect())
    const start = async (name: string): Promise<ChaosNode> => {
      const env = { REDIS: redis.url, PREFIX: redis.prefix }
      const node = await ChaosNode.start(app, name, server.url, env)
      onTestFinished(() => node.close())
      return node
    }
    const mark = async (node: ChaosNode): Promise<unknown> => {
      const answer = await node.call({ wire: 'http', key: randomUUID(), topic })
      expect(answer?.status).toBe(201)
      return answer?.data
    }
    const published = () => readStream(client, redis.prefix, topic)
    const waiting = async (): Promise<number> => (await query`select id from twinwire_outbox`).length
    /** Redis no longer knows which rows it has taken. */
    const forgetKeys = async (): Promise<number> => client.del(await client.keys(`${redis.prefix}*:key:outbox-*`))
    return { forgetKeys, observer, start, mark, published, waiting }
  }
  /** Nothing passes the proxy of the node as soon as an answer to its sender comes, which is held. */
  const stopAt = (node: ChaosNode, answer: number): Promise<void> =>
    new Promise((resolve) => {
      const watch = new TransactionWatch('sender')
      node.proxy.onStop = resolve
      node.proxy.onMessage = (message) => {
        watch.see(message)
        return watch.messages.filter((each) => each === 'server Z').length === answer ? 'hold' : 'pass'
      }
    })

  test.each([
    ['is killed', 'before it publishes', 'SIGKILL', answers.rows],
    ['is killed', 'after it has published', 'SIGKILL', answers.removal],
    ['is frozen', 'before it publishes', 'SIGSTOP', answers.rows],
    ['is frozen', 'after it has published', 'SIGSTOP', answers.removal],
  ] as const)(
    'it %s %s',
    async (what, when, signal, answer) => {
      const { forgetKeys, observer, start, mark, published, waiting } = await setUp()
      const first = await start('first')
      const stopped = stopAt(first, answer)
      const marks = [await mark(first)]
      await stopped
      let endedMs = performance.now()
      if (signal === 'SIGSTOP') {
        // What is held arrives, and is read when the process goes on: it believes that it has the lock.
        first.signal('SIGSTOP')
        first.proxy.resume()
        first.proxy.onMessage = () => 'pass'
      }
      const second = await start('second')
      for (let i = 0; i < 3; i += 1) marks.push(await mark(second))
      if (signal === 'SIGKILL') {
        // The lock is held for as long as the process is there.
        expect(await published()).toEqual(answer === answers.rows ? [] : marks.slice(0, 1))
        expect(await waiting()).toBe(4)
        endedMs = performance.now()
        first.signal('SIGKILL')
      }
      await expect.poll(published, { timeout: 30_000, interval: 20 }).toEqual(marks)
      const tookMs = Math.round(performance.now() - endedMs)
      console.info(`The sender ${what} ${when}: another one has sent after ${tookMs} ms`)
      await expect.poll(waiting).toBe(0)
      if (signal === 'SIGSTOP') {
        // As after ten minutes.
        expect(await forgetKeys()).toBeGreaterThan(0)
        first.signal('SIGCONT')
        // Its lost connections are replaced.
        marks.push(await mark(first))
        await expect.poll(waiting).toBe(0)
      }
      marks.push(await mark(second))
      await expect.poll(published).toEqual(marks)
      expect(await observer.take(marks.length)).toEqual(marks)
    },
    120_000,
  )
})
