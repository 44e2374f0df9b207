import type { Redis } from 'ioredis'
import type postgres from 'postgres'
import * as v from 'valibot'
import { expect } from 'vitest'
import type { ChaosAnswer } from './chaos-node.ts'
import { Mark } from './chaos-shared.ts'

/** What is known of one key. */
interface Entry {
  readonly topic: string
  /** What was done to it, for messages of failures. */
  readonly story: string
  readonly answers: ChaosAnswer[]
}

const succeeded: Readonly<Record<ChaosAnswer['wire'], number>> = { ws: 0, http: 201 }

/** The model: a key has one effect and one publication, and its answers are one. */
export class ChaosLedger {
  readonly #entries = new Map<string, Entry>()

  get keys(): readonly { readonly key: string; readonly topic: string }[] {
    return [...this.#entries].map(([key, { topic }]) => ({ key, topic }))
  }

  begin(key: string, topic: string, story: string): void {
    this.#entries.set(key, { topic, story, answers: [] })
  }

  /** @throws when it is not the success that was answered before, on either wire */
  answered(key: string, answer: ChaosAnswer): Mark {
    const entry = this.#entries.get(key)
    if (entry === undefined) throw new Error(`The key ${key} is not in the ledger`)
    expect({ ...answer, name: Object(answer.data).name }, entry.story).toEqual({
      wire: answer.wire,
      status: succeeded[answer.wire],
      data: entry.answers[0]?.data ?? answer.data,
      name: key,
    })
    entry.answers.push(answer)
    return v.parse(Mark, answer.data)
  }

  /** Rows are the answers: one effect and one key each, and nothing is left to be sent. Returns the marks of a topic in the order of their commits. */
  async checkRows(query: postgres.Sql): Promise<ReadonlyMap<string, readonly Mark[]>> {
    const rows = await query<(Mark & { readonly topic: string })[]>`
      select id, name, node, topic from marks order by place`
    const counts = new Map<string, number>()
    for (const { name } of rows) counts.set(name, (counts.get(name) ?? 0) + 1)
    for (const [key, { story }] of this.#entries) expect(counts.get(key), `effects of ${key}: ${story}`).toBe(1)
    expect(rows).toHaveLength(this.#entries.size)
    const byTopic = new Map<string, Mark[]>()
    for (const { topic, ...mark } of rows) {
      const entry = this.#entries.get(mark.name)
      expect(mark, entry?.story).toEqual(entry?.answers[0]?.data)
      expect(topic).toBe(entry?.topic)
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), mark])
    }
    const kept = await query<{ reply: string }[]>`select reply from twinwire_once`
    const replies = kept.map(({ reply }) => v.parse(Mark, Object(JSON.parse(reply)).value))
    expect(byId(replies)).toEqual(byId(rows.map(({ topic: _, ...mark }) => mark)))
    await expect.poll(() => query`select stream from twinwire_outbox`).toEqual([])
    return byTopic
  }
}

function byId(marks: readonly Mark[]): readonly Mark[] {
  return marks.toSorted((a, b) => a.id - b.id)
}

/** What Redis has of a topic, in order: its offsets are complete. */
export async function readStream(redis: Redis, prefix: string, topic: string): Promise<readonly Mark[]> {
  const entries = await redis.xrange(`${prefix}stream:{:${topic}}:history`, '-', '+')
  expect(entries.map(([id]) => id)).toEqual(entries.map((_, i) => `${i + 1}-0`))
  return entries.map(([, [, text = '']]) => v.parse(Mark, JSON.parse(text)[2]))
}
