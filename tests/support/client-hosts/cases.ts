// What a client does, the same in each host: bundled for it, so nothing here may need Node.js.
import { type Client, createClient, type Manifest, type WebSocketConstructor } from '@twinwire/client'
import { equal, post, rejected, text, until } from './assertions.ts'
import type { HostsApp } from './hosts-app.ts'

export interface HostConfig {
  /** Part of the names of its topics. */
  readonly host: string
  readonly url: string
  readonly manifest: Manifest
  /** That of `stranger` is refused. */
  readonly tokens: Readonly<Record<'ada' | 'bob' | 'stranger', string>>
  /** Posts to `/down` and `/up` cut the connections of this host, and allow others again. */
  readonly control: string
}

export interface CaseReport {
  readonly name: string
  /** Null: passed. */
  readonly error: string | null
}

interface Host extends HostConfig {
  open(user: keyof HostConfig['tokens'], wire?: 'ws' | 'http'): Client<HostsApp>
}

const wires = ['ws', 'http'] as const
const values = { big: 2n ** 60n, at: new Date(Date.UTC(2024, 1, 29)), bytes: Uint8Array.of(0, 250, 255), text: 'Zoë 𝄞' }
const answered = { big: String(2n ** 60n), at: '2024-02-29T00:00:00.000Z', bytes: 'APr/', text: 'Zoë 𝄞' }

const cases: Readonly<Record<string, (host: Host) => Promise<void>>> = {
  'a call, with bigint, date, bytes and text, on both wires': async ({ open }) => {
    for (const wire of wires) equal(await open('ada', wire).call('ECHO', values), answered)
  },
  'an error of the server, on both wires': async ({ open }) => {
    for (const wire of wires) {
      const error = await rejected(open('ada', wire).call('FAIL', { n: 10 }))
      const paths = Array.isArray(error.details) ? error.details.map(({ path }) => path) : []
      equal([error.code, paths, error.outcomeUnknown], ['validation_error', ['n'], false])
    }
  },
  'a page has items and meta, on both wires': async ({ open }) => {
    for (const wire of wires) {
      const { items, meta } = await open('ada', wire).call('LIST', { page: 2 })
      equal([items, meta.page, meta.total], [[{ n: 2 }], 2, 3])
    }
  },
  'a stream that is left early ends at the server, on both wires': async ({ open, host }) => {
    for (const wire of wires) {
      const client = open('ada', wire)
      const items: number[] = []
      for await (const { n } of client.stream('COUNT', { from: 5 })) {
        items.push(n)
        if (items.length === 3) break
      }
      equal(items, [5, 6, 7])
      await until(async () => (await client.call('OPEN_STREAMS')) === 0, `${host}: the stream over ${wire} has ended`)
    }
  },
  'an aborted call rejects with the reason': async ({ open }) => {
    for (const wire of wires) {
      const reason = await open('ada', wire)
        .call('WHO', undefined, { signal: AbortSignal.abort('enough') })
        .catch((error: unknown) => error)
      equal(reason, 'enough')
    }
  },
  'a handshake with a token names the user; a token that is refused ends the client': async ({ open }) => {
    const client = open('bob')
    const id = await client.call('WHO')
    equal([client.state.status, client.state.identity], ['open', id])
    equal(await open('bob', 'http').call('WHO'), id)
    const refused = open('stranger')
    const error = await rejected(refused.call('WHO'))
    equal([error.code, refused.state.status], ['closed', 'closed'])
    equal((await rejected(refused.call('WHO', undefined, { wire: 'http' }))).code, 'authentication_failed')
  },
  'an event is received by `on`, and by the call that caused it': async ({ open, host }) => {
    const topic = `chat:event-${host}`
    const client = open('ada')
    const heard: unknown[] = []
    client.on('TOLD', ({ n }, meta) => heard.push([n, meta.topic]))
    await client.subscribe(topic).ready
    const { answer, event } = await client.callWithEvent('TELL', 'TOLD', { topic, n: 1 })
    equal([answer, event, heard], [1, { n: 1 }, [[1, topic]]])
  },
  'a subscription resumes after its connection was cut: each event once, in order': async ({ open, host, control }) => {
    const topic = `chat:resume-${host}`
    const client = open('ada')
    const received: number[] = []
    let gaps = 0
    const subscription = client.subscribe(topic, {
      onEvent: ({ event, data }) => {
        if (event === 'TOLD' && 'n' in data) received.push(data.n)
      },
      onGap: () => {
        gaps += 1
      },
    })
    await subscription.ready
    const publish = (n: number): Promise<unknown> => post(`${control}/publish?topic=${topic}&n=${n}`)
    await publish(1)
    await until(() => received.length === 1, 'the first event')
    await post(`${control}/down`)
    await until(() => client.state.status !== 'open', 'the connection was cut')
    for (const n of [2, 3, 4]) await publish(n)
    await post(`${control}/up`)
    await until(() => received.length >= 4, 'what was missed')
    await publish(5)
    await until(() => received.length >= 5, 'the event after it')
    equal([received, gaps, subscription.position?.offset], [[1, 2, 3, 4, 5], 0, 5])
  },
  'presence: joins, leaves, and who is there': async ({ open, host }) => {
    const topic = `chat:presence-${host}`
    const [ada, bob] = [open('ada'), open('bob')]
    const changes: unknown[] = []
    await ada.subscribe(topic, { onPresence: (change, { identity }) => changes.push([change, identity]) }).ready
    await bob.subscribe(topic).ready
    const { identity } = bob.state
    const seen = (change: string) => changes.some((each) => text(each) === text([change, identity]))
    await until(() => seen('joined'), 'bob has joined')
    const members = (await ada.presence(topic)).map((member) => member.identity)
    equal(members.sort(), [ada.state.identity, identity].sort())
    bob.close()
    await until(() => seen('left'), 'bob has left')
  },
  'a question is answered': async ({ open }) => {
    const client = open('ada')
    client.answer('CONFIRM', async ({ text }) => ({ accepted: text === 'Sure?' }))
    equal(await client.call('ASK'), true)
  },
  'a call without a connection ends by its deadline, and is not sent': async ({ open, control }) => {
    await post(`${control}/down`)
    try {
      const error = await rejected(open('ada').call('WHO', undefined, { timeoutMs: 50 }))
      equal([error.code, error.outcomeUnknown], ['timeout', false])
      const lost = await rejected(open('ada', 'http').call('WHO'))
      equal(lost.code, 'connection_lost')
    } finally {
      await post(`${control}/up`)
    }
  },
}

/** Runs all cases one after the other. */
export async function runCases(config: HostConfig, WebSocket?: WebSocketConstructor): Promise<CaseReport[]> {
  const reports: CaseReport[] = []
  for (const [name, run] of Object.entries(cases)) {
    const clients: Client<HostsApp>[] = []
    const open: Host['open'] = (user, wire = 'ws') => {
      const { url, manifest, tokens } = config
      const client = createClient<HostsApp>({
        url,
        manifest,
        wire,
        getToken: () => tokens[user],
        reconnect: { minMs: 5, maxMs: 50 },
        ...(WebSocket !== undefined && { WebSocket }),
      })
      clients.push(client)
      return client
    }
    const error = await run({ ...config, open }).then(
      () => null,
      (reason: unknown) => String(reason instanceof Error ? (reason.stack ?? reason) : reason),
    )
    for (const client of clients) client.close()
    reports.push({ name, error })
  }
  return reports
}
