// Generated inputs with secrets under keys in many spellings: none of them reaches a row, a file or a line of the log.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createLogger, route, ValidationError } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { createTestApp, fakeIdentity } from '@twinwire/core/testing'
import { audit } from '@twinwire/plugin-audit'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { auditDdl } from '../support/audit-ddl.ts'

/** `AUDIT_SECRETS=100000` for more. */
const runs = Number(process.env.AUDIT_SECRETS ?? 1000)

/** Of the contract, and others of core's list. */
const names = [
  ['password'],
  ['pass', 'word'],
  ['passwd'],
  ['pwd'],
  ['token'],
  ['access', 'token'],
  ['refresh', 'token'],
  ['secret'],
  ['api', 'key'],
  ['private', 'key'],
  ['ssn'],
  ['social', 'security', 'number'],
  ['credit', 'card'],
  ['card', 'number'],
  ['cvv'],
  ['authorization'],
]
const prefixes = [[], [], ['user'], ['my'], ['old'], ['x'], ['db']]
const suffixes = ['', '', '', '2', '_1', 's']

const capital = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1)
const spellings: readonly ((words: readonly string[]) => string)[] = [
  (words) => words.join('_'),
  (words) => words.join('-'),
  (words) => words.join('.'),
  (words) => words.join(''),
  (words) => words.map((word, i) => (i === 0 ? word : capital(word))).join(''),
  (words) => words.map(capital).join(''),
  (words) => words.map(capital).join('-'),
  (words) => words.join('_').toUpperCase(),
  (words) => words.join('').toUpperCase(),
  (words) => words.map(capital).join('_'),
]
const key = fc
  .tuple(
    fc.constantFrom(...prefixes),
    fc.constantFrom(...names),
    fc.constantFrom(...suffixes),
    fc.constantFrom(...spellings),
  )
  .map(([prefix, name, suffix, spell]) => spell([...prefix, ...name]) + suffix)

/** Nothing else contains it, and no one part of it is short enough to be there by chance. */
const secret = fc.integer({ min: 0, max: 2 ** 31 - 1 }).map((n) => `S3cr3t${n.toString(36)}x`)

const ordinary = fc.oneof(fc.string({ maxLength: 8 }), fc.integer(), fc.boolean(), fc.constant(null))
const inner = { a: 'other', b: ['c', 1] }

type Planted = { readonly value: unknown; readonly secrets: readonly string[] }

/** A secret somewhere in a value: under a key, in JSON in a string, in a string of pairs. */
const planted: fc.Arbitrary<Planted> = fc.letrec<{ node: Planted }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.tuple(key, secret).map(([at, text]) => ({ value: { ...inner, [at]: text }, secrets: [text] })),
    fc.tuple(key, secret).map(([at, text]) => ({ value: { [at]: { deep: [text] } }, secrets: [text] })),
    fc.tuple(key, secret).map(([at, text]) => ({ value: { [at]: [text, text] }, secrets: [text] })),
    fc
      .tuple(key, secret)
      .map(([at, text]) => ({ value: { note: JSON.stringify({ a: 1, [at]: text }) }, secrets: [text] })),
    fc.tuple(key, secret).map(([at, text]) => ({
      value: { note: JSON.stringify({ body: JSON.stringify({ [at]: text, b: 2 }) }) },
      secrets: [text],
    })),
    fc.tuple(key, secret).map(([at, text]) => ({ value: { form: `a=1&${at}=${text}&b=2` }, secrets: [text] })),
    fc.tuple(key, secret).map(([at, text]) => ({ value: { header: `${at}: ${text}` }, secrets: [text] })),
    fc.tuple(key, secret).map(([at, text]) => ({ value: { xml: `<a><${at}>${text}</${at}></a>` }, secrets: [text] })),
    secret.map((text) => ({ value: { header: `Bearer ${text}` }, secrets: [text] })),
    secret.map((text) => ({ value: { at: `https://me:${text}@example.org/` }, secrets: [text] })),
    fc.tuple(tie('node'), tie('node'), ordinary).map(([one, other, rest]) => ({
      value: { one: one.value, list: [[other.value, rest]], rest },
      secrets: [...one.secrets, ...other.secrets],
    })),
  ),
})).node

const pairs = fc.tuple(key, secret)

test(`${runs} inputs: no secret is in a row, in a file or in the log [defect 60]`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-audit-'))
  const lines: string[] = []
  const logger = createLogger({
    environment: 'test',
    level: 'debug',
    destination: { write: (line) => lines.push(line) },
  })
  let read = async (): Promise<string> => ''
  const { app, request, client, close } = await createTestApp({
    pkgIds: { TAKE: 1, FAIL: 2, QUOTE: 3 },
    routes: {
      TAKE: route({ http: 'POST /take', input: v.looseObject({}), handler: () => null }),
      FAIL: route({
        http: 'POST /fail',
        input: v.looseObject({}),
        handler: (input) => {
          throw new Error(`Not with ${JSON.stringify(input)}`)
        },
      }),
      QUOTE: route({
        http: 'POST /quote/:id',
        input: v.looseObject({ id: v.string() }),
        handler: ({ pair }) => {
          throw new ValidationError(`Refused: ${String(pair)}`)
        },
      }),
    },
    defaultAccess: 'public',
    log: { logger, access: 'all' },
    plugins: [
      // A short queue: most rows are in files first.
      audit({ queueSize: 10, batchMs: 1, overflow: 'spill', spillFolder: folder, maxSpillBytes: 1e9 }),
      database({
        url: 'pglite://memory',
        onStart: async (db) => {
          await db.execute(sql.raw(auditDdl))
          read = async () => JSON.stringify(await db.execute(sql`select * from user_actions`))
        },
      }),
      fakeIdentity(),
    ],
  })
  onTestFinished(async () => {
    await close()
    await rm(folder, { recursive: true, force: true })
  })
  const socket = await client({ headers: { authorization: 'Bearer ann' } })
  const secrets = new Set<string>()
  let spilled = 0

  const send = async ({ value, secrets: all }: Planted, [at, text]: readonly [string, string], n: number) => {
    for (const each of [...all, text]) secrets.add(each)
    const input = value as Record<string, unknown>
    const quoted = [`${at}=${text}`, `${at}: ${text}`, JSON.stringify({ [at]: text }), `${at} '${text}'`][n % 4]
    const query = `${encodeURIComponent(at)}=${text}`
    if (n % 5 === 0) await request(`POST /take?${query}`, { json: input })
    else if (n % 5 === 1) await request('POST /fail', { json: input, headers: { 'user-agent': `${at}=${text}` } })
    else if (n % 5 === 2)
      await request(`POST /quote/${encodeURIComponent(`${at}=${text}`)}`, { json: { pair: quoted } })
    else if (n % 5 === 3) await request(`GET /nowhere/${encodeURIComponent(at)}/${text}?${query}`)
    else await socket.call('TAKE', input).catch(() => null)
  }
  const findIn = (text: string): readonly string[] =>
    [...text.matchAll(/.{0,120}(S3cr3t[0-9a-z]+x)/g)].flatMap(([found, each = '']) =>
      secrets.has(each) ? [found] : [],
    )
  const inFiles = async (): Promise<string> => {
    const contents = await Promise.all(
      (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8').catch(() => '')),
    )
    return contents.join('')
  }

  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
  const inputs = fc.tuple(planted, pairs)
  for (let from = 0; from < runs; from += 500) {
    const samples = fc.sample(inputs, { numRuns: Math.min(500, runs - from), seed: seed + from })
    for (let at = 0; at < samples.length; at += 20)
      await Promise.all(samples.slice(at, at + 20).map(([input, pair], i) => send(input, pair, at + i)))
    const files = await inFiles()
    spilled += files.length
    expect(findIn(files), `in files, SEED=${seed}`).toEqual([])
    expect(findIn(lines.splice(0).join('')), `in the log, SEED=${seed}`).toEqual([])
  }
  const countRows = () => app.instruments.families().find(({ name }) => name === 'audit_logs_written_total')
  await expect
    .poll(() => countRows()?.cells.map(({ cell }) => ('value' in cell ? cell.value : 0)), { timeout: 600_000 })
    .toEqual([runs])
  expect(findIn(await read()), `in rows, SEED=${seed}`).toEqual([])
  expect(spilled).toBeGreaterThan(0)
}, 3_600_000)
