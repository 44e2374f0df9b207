// The topic of the reference application over two processes on one Redis, as users run them: subscribe on one, change on the other, resume.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Example, startExample } from '../support/example.ts'
import { httpCall } from '../support/http-call.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'

interface Frame {
  readonly type?: string
  readonly pkg_id?: number
  readonly meta?: { readonly topic: string; readonly epoch: string; readonly offset: number; readonly cause: string }
  readonly [field: string]: unknown
}

/** A client that keeps every frame. */
async function connect(example: Example): Promise<{ frames: Frame[]; send(frame: object): void; close(): void }> {
  const token = example.tokens?.admin ?? ''
  const socket = new WebSocket(example.socketUrl, { headers: { authorization: `Bearer ${token}` } })
  const frames: Frame[] = []
  socket.on('message', (data) => void frames.push(JSON.parse(String(data))))
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  await expect.poll(() => frames.some(({ type }) => type === 'auth_ok')).toBe(true)
  return { frames, send: (frame) => socket.send(JSON.stringify(frame)), close: () => socket.terminate() }
}

const available = (await hasPostgres()) && (await hasRedis())

describe.skipIf(!available)('two processes of the example on one Redis', () => {
  let database: { readonly url: string; stop(): Promise<void> }
  let redis: TestRedis
  const examples: Example[] = []

  beforeAll(async () => {
    database = await startPostgres()
    redis = await startRedis({ own: true })
    const env = { REDIS_URL: redis.url, REDIS_COMMAND_TIMEOUT: '10s' }
    // The first one creates the table.
    for (let i = 0; i < 2; i++) examples.push(await startExample({ databaseUrl: database.url, env }))
    // A database and two processes, one after the other.
  }, 300_000)
  afterAll(async () => {
    for (const example of examples) await example.stop('SIGKILL')
    await redis?.stop()
    await database?.stop()
  })

  test('a change on one is an event on the other, and a client resumes on any [defect 30]', async () => {
    const [one, other] = examples
    if (one === undefined || other === undefined) throw new Error('never')
    const create = async (name: string): Promise<void> => {
      const answer = await httpCall(`${one.url}/authors`, 'POST', { name }, one.tokens?.admin)
      expect(answer.status).toBe(201)
    }
    const changes = (frames: readonly Frame[]): readonly Frame[] => frames.filter(({ pkg_id }) => pkg_id === 101)

    const first = await connect(other)
    first.send({ type: 'subscribe', id: 1, topic: 'authors' })
    await expect.poll(() => first.frames.find(({ type }) => type === 'subscribed')).toMatchObject({ recovered: false })
    await create('Italo Calvino')
    await expect.poll(() => changes(first.frames)).toHaveLength(1)
    const [event] = changes(first.frames)
    expect(event).toMatchObject({
      meta: { topic: 'authors', offset: 1 },
      data: { change: 'created', name: 'Italo Calvino' },
    })

    first.send({ type: 'presence', id: 2, topic: 'authors', cursor: null })
    await expect
      .poll(() => first.frames.find(({ type }) => type === 'presence'))
      .toMatchObject({
        members: [{ info: { name: expect.anything() } }],
        cursor: null,
      })

    first.close()
    await create('Elsa Morante')
    await create('Natalia Ginzburg')
    const again = await connect(one)
    again.send({ type: 'subscribe', id: 3, topic: 'authors', since: { epoch: event?.meta?.epoch, offset: 1 } })
    await expect.poll(() => again.frames.find(({ type }) => type === 'subscribed')).toMatchObject({ recovered: true })
    // An event may come after the reply of its call, so the last one also after the answer.
    await expect.poll(() => changes(again.frames).map(({ meta }) => meta?.offset)).toEqual([2, 3])
    again.close()
  }, 90_000)
})
