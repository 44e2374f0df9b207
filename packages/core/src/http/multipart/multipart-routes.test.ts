import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { CallOutcome } from '../../call/call-outcome.ts'
import {
  type AnyEndpoint,
  currentCall,
  guard,
  type MultipartFile,
  PermissionDeniedError,
  reply,
  route,
  stream,
  type TemporaryFile,
} from '../../index.ts'
import { deferred, plugin } from '../../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../../testing.ts'

const kib = 1024
const headers = { 'content-type': 'multipart/form-data; boundary=b' }
const never = new Promise<never>(() => {})

const crlf = (text: string): string => text.replaceAll('\n', '\r\n')
const field = (name: string, value: string): string =>
  crlf(`--b\nContent-Disposition: form-data; name="${name}"\n\n`) + value + crlf('\n')
const file = (name: string, content: string): string =>
  crlf(`--b\nContent-Disposition: form-data; name="file"; filename="${name}"\nContent-Type: text/plain\n\n`) +
  content +
  crlf('\n')
const end = crlf('--b--\n')

/** Pieces of a chunked body, and then `rest`. */
async function* chunks(pieces: readonly string[], rest?: Promise<unknown>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece)
  await rest
}

const Album = v.object({
  id: v.number(),
  title: v.string(),
  year: v.optional(v.number()),
  tags: v.optional(v.array(v.string())),
})
const upload = route({
  http: { route: 'POST /albums/:id', body: 'multipart', maxBodyBytes: 500 * kib, query: ['year'] },
  input: Album,
  handler: async (input, call) => {
    const files: unknown[] = []
    for await (const each of call.files) {
      const { field: name, filename, contentType } = each
      files.push({ name, filename, contentType, bytes: (await each.bytes()).length })
    }
    return { ...input, files }
  },
})

const toIssues = (answer: { json(): unknown }): unknown => {
  const body = v.parse(v.object({ error: v.object({ details: v.unknown(), msg: v.string() }) }), answer.json())
  return body.error.details ?? body.error.msg
}

onTransports({ describe, afterEach }, ({ start }) => {
  async function boot(endpoints: readonly AnyEndpoint[], options: object = {}) {
    const outcomes: (Pick<CallOutcome, 'aborted' | 'httpStatus'> & { code: string | undefined })[] = []
    const observer = plugin((host) =>
      host.onReply((_call, { aborted, httpStatus, error }) => {
        outcomes.push({ aborted, httpStatus, code: error?.code })
      }),
    )
    const app = await start({ pkgIds: {}, routes: {}, endpoints: [...endpoints], plugins: [observer], ...options })
    const faults = () => app.logs.filter(({ level }) => level === 'warn' || level === 'error')
    return { ...app, outcomes, faults }
  }

  describe('a multipart body', () => {
    test('gives its fields as input, with path and query, and its files one by one', async () => {
      const { request, outcomes } = await boot([upload])
      const body =
        field('title', 'Cats') +
        field('tags', 'a') +
        field('tags', 'b') +
        file('one.txt', '1') +
        file('../two.txt', 'x'.repeat(300 * kib)) +
        end
      const answer = await request('POST /albums/7?year=2026', { body, headers })
      expect(answer.json()).toEqual({
        id: 7,
        year: 2026,
        title: 'Cats',
        tags: ['a', 'b'],
        files: [
          { name: 'file', filename: 'one.txt', contentType: 'text/plain', bytes: 1 },
          { name: 'file', filename: 'two.txt', contentType: 'text/plain', bytes: 300 * kib },
        ],
      })
      const one = await request('POST /albums/7', {
        body: field('title', 'Cats') + field('tags', 'a') + field('year', '1999') + end,
        headers,
      })
      expect(one.json()).toEqual({ id: 7, title: 'Cats', tags: ['a'], year: 1999, files: [] })
      expect(outcomes).toHaveLength(2)
    })

    test('of a form that a browser or fetch makes', async () => {
      const form = new FormData()
      form.append('title', 'Füße "quoted"\r\n')
      form.append('file', new File(['x'], 'kätzchen".png', { type: 'image/png' }))
      const made = new Response(form)
      const { request } = await boot([upload])
      const answer = await request('POST /albums/1', {
        body: new Uint8Array(await made.arrayBuffer()),
        headers: { 'content-type': made.headers.get('content-type') ?? '' },
      })
      expect(answer.json()).toEqual({
        id: 1,
        title: 'Füße "quoted"\r\n',
        files: [{ name: 'file', filename: 'kätzchen".png', contentType: 'image/png', bytes: 1 }],
      })
    })

    test('starts the handler after the fields, while files are on their way', async () => {
      const started = deferred<void>()
      const early = route({
        http: { route: 'POST /early', body: 'multipart' },
        input: v.object({ title: v.string() }),
        handler: async ({ title }, call) => {
          started.resolve()
          for await (const each of call.files) return title + (await each.text())
          return ''
        },
      })
      const { raw } = await boot([early])
      const rest = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from(field('title', 'Cats') + file('a', 'begin').slice(0, -2))
        await started.promise
        yield Buffer.from(`\r\n and end\r\n${end}`)
      }
      const answer = await raw.request({ method: 'POST', path: '/early', headers, body: rest() })
      expect(Buffer.from(answer.body).toString()).toBe('"Catsbegin\\r\\n and end"')
    })

    test('is refused where its fields do not match, before the handler runs', async () => {
      const { request } = await boot([upload])
      const send = async (body: string, path = '/albums/1') => {
        const answer = await request(`POST ${path}`, { body, headers })
        return [answer.status, toIssues(answer)]
      }
      expect(await send(field('year', 'x') + end)).toEqual([
        422,
        expect.arrayContaining([expect.objectContaining({ path: 'title' })]),
      ])
      expect(await send(field('title', 'a') + field('id', '2') + end)).toEqual([
        422,
        [{ path: 'id', message: 'Received twice with different values' }],
      ])
      expect(await send(field('title', 'a') + end, '/albums/1?title=b')).toEqual([
        422,
        [{ path: 'title', message: 'Unknown query parameter' }],
      ])
      expect(await send(field('__proto__', 'a') + end)).toEqual([
        422,
        [{ path: '__proto__', message: 'Key is not allowed' }],
      ])
    })

    test.each([
      [415, 'Content-Type must be multipart/form-data', '{}', { 'content-type': 'application/json' }],
      [
        422,
        'Content-Type must have a boundary of 1 to 70 visible characters',
        end,
        { 'content-type': 'multipart/form-data' },
      ],
      [422, 'The body ends before its last boundary', '', headers],
      [422, 'The body ends before its last boundary', field('title', 'a') + file('a', 'x').slice(0, -3), headers],
      [422, 'The body must begin with its boundary', `x${end}`, headers],
      [
        422,
        'The field comes after a file: send all fields before the files',
        field('title', 'a') + file('a', 'x') + field('late', 'x') + end,
        headers,
      ],
      [422, 'At most 10 files are accepted', field('title', 'a') + file('a', 'x').repeat(11) + end, headers],
      [422, 'At most 100 fields are accepted', field('tags', 'a').repeat(101) + end, headers],
      [413, { max_bytes: 64 * kib }, field('title', 'x'.repeat(64 * kib + 1)) + end, headers],
      [413, { max_bytes: 500 * kib }, field('title', 'a') + file('a', 'x'.repeat(500 * kib)) + end, headers],
    ])('%i: %j', async (status, problem, body, given) => {
      const { request, outcomes, faults } = await boot([upload])
      const answer = await request('POST /albums/1', { body, headers: given })
      expect([answer.status, toIssues(answer)]).toEqual([
        status,
        status === 422 ? [expect.objectContaining({ message: problem })] : problem,
      ])
      expect(outcomes).toEqual([{ aborted: false, httpStatus: status, code: expect.any(String) }])
      expect(faults()).toEqual([])
    })

    test('that becomes longer than the cap is 413 from what reads it', async () => {
      const { raw, outcomes } = await boot([upload])
      const big = [
        field('title', 'a') + file('a', 'x').slice(0, -2),
        ...Array.from({ length: 600 }, () => 'x'.repeat(kib)),
      ]
      expect((await raw.request({ method: 'POST', path: '/albums/1', headers, body: chunks(big, never) })).status).toBe(
        413,
      )
      expect(outcomes).toEqual([{ aborted: false, httpStatus: 413, code: 'payload_too_large' }])
    })

    test('is not read before the guards have admitted the call', async () => {
      const refuse = guard({
        name: 'never',
        run: () => {
          throw new PermissionDeniedError()
        },
      })
      const refused = route({ http: { route: 'POST /refused', body: 'multipart' }, use: [refuse], handler: () => 1 })
      const { raw } = await boot([refused])
      const answer = await raw.request({ method: 'POST', path: '/refused', headers, body: chunks(['--b'], never) })
      expect(answer.status).toBe(403)
    })

    test('need not be read: the answer does not wait for it', async () => {
      const unread = route({
        http: { route: 'POST /unread', body: 'multipart', maxBodyBytes: 1000 * kib },
        handler: () => 'enough',
      })
      const first = route({
        http: { route: 'POST /first', body: 'multipart', maxBodyBytes: 1000 * kib },
        handler: async (_input, call) => {
          for await (const each of call.files) return each.filename
          return null
        },
      })
      const { raw, request, outcomes } = await boot([unread, first])
      expect((await request('POST /unread', { body: file('a', 'x') + end, headers })).json()).toBe('enough')
      expect((await request('POST /unread', { body: file('a', 'x'.repeat(700 * kib)) + end, headers })).json()).toBe(
        'enough',
      )
      const endless = chunks([file('a', 'begin').slice(0, -3)], never)
      const answer = await raw.request({ method: 'POST', path: '/first', headers, body: endless })
      expect(Buffer.from(answer.body).toString()).toBe('"a"')
      expect(outcomes).toHaveLength(3)
    })

    test('has files that are iterated once', async () => {
      const twice = route({
        http: { route: 'POST /twice', body: 'multipart' },
        handler: async (_input, call) => {
          for await (const _file of call.files);
          for await (const _file of call.files);
        },
      })
      const { request, logs } = await boot([twice])
      expect((await request('POST /twice', { body: file('a', 'x') + end, headers })).status).toBe(500)
      const message = expect.stringContaining('call.files can be iterated only once')
      const fields = expect.objectContaining({ err: expect.objectContaining({ message }) })
      expect(logs).toContainEqual(expect.objectContaining({ level: 'error', fields }))
    })

    test('keeps temporary files until the call ends, however it does', async () => {
      const paths: string[] = []
      const reading = deferred<void>()
      const temporary = route({
        http: { route: 'POST /temporary/:how', body: 'multipart' },
        input: v.object({ how: v.string() }),
        handler: async ({ how }, call) => {
          const written: TemporaryFile[] = []
          const write = async (each: MultipartFile): Promise<void> => {
            const one = await each.toTemporaryFile()
            written.push(one)
            paths.push(one.path)
            if (paths.length === 3) reading.resolve()
          }
          for await (const each of call.files) await write(each)
          if (how === 'fails') throw new PermissionDeniedError()
          return written.every(({ path, bytes }) => existsSync(path) && bytes === 1)
        },
      })
      const streamed = route({
        http: { route: 'POST /streamed', body: 'multipart' },
        output: stream(v.boolean()),
        handler: async function* (_input, call) {
          for await (const each of call.files) {
            const { path } = await each.toTemporaryFile()
            paths.push(path)
            yield existsSync(path)
          }
        },
      })
      const { raw, request, outcomes, faults } = await boot([temporary, streamed])
      const gone = (): boolean => paths.every((path) => !existsSync(dirname(path)))
      expect((await request('POST /temporary/works', { body: file('a', 'x') + end, headers })).json()).toBe(true)
      await expect.poll(gone).toBe(true)
      expect((await request('POST /temporary/fails', { body: file('a', 'x') + end, headers })).status).toBe(403)
      await expect.poll(gone).toBe(true)
      // The client leaves behind the first of two files.
      const answer = raw.request({
        method: 'POST',
        path: '/temporary/left',
        headers,
        body: chunks([file('a', 'x') + file('b', 'begin').slice(0, -3)], never),
        signal: leaving(reading.promise),
      })
      await expect(answer).rejects.toThrow()
      await expect.poll(() => outcomes.length).toBe(3)
      expect(outcomes[2]).toEqual({ aborted: true, httpStatus: 499, code: undefined })
      await expect.poll(gone).toBe(true)
      expect((await request('POST /streamed', { body: file('a', 'x') + end, headers })).text).toContain('true')
      expect(paths).toHaveLength(4)
      await expect.poll(gone).toBe(true)
      expect(faults()).toEqual([])
    })

    test.each(['works', 'fails'])('has no temporary files once the app has closed: the removal %s', async (how) => {
      const folder = await mkdtemp(join(tmpdir(), 'twinwire-test-'))
      const moved = `${folder}-moved`
      vi.stubEnv('TMPDIR', folder)
      onTestFinished(async () => {
        vi.unstubAllEnvs()
        for (const each of [folder, moved]) await rm(each, { recursive: true, force: true })
      })
      const endless = route({
        http: { route: 'POST /endless', body: 'multipart' },
        handler: async (_input, call) => {
          for await (const each of call.files) await each.toTemporaryFile()
        },
      })
      const { raw, app, faults } = await boot([endless], { drainTimeoutMs: 100 })
      const body = chunks([file('a', 'begin').slice(0, -2)], never)
      const answer = raw.request({ method: 'POST', path: '/endless', headers, body })
      const written = (): number => readdirSync(folder, { recursive: true }).length
      await expect.poll(written).toBe(2)
      if (how === 'fails') {
        // A link to itself: nothing below it can be found.
        await rename(folder, moved)
        await symlink(folder, folder)
      }
      await app.close()
      const messages = faults().map(({ level, message }) => [level, message])
      if (how === 'works') expect(written()).toBe(0)
      else expect(messages).toContainEqual(['error', 'The temporary files of a call could not be removed'])
      expect((await answer).status).toBe(503)
    })

    test('ends with the reason of the signal when the client leaves', async () => {
      const seen = deferred<unknown>()
      const reading = deferred<void>()
      const left = route({
        http: { route: 'POST /left', body: 'multipart' },
        handler: async (_input, call) => {
          for await (const each of call.files) {
            reading.resolve()
            const error: unknown = await each.bytes().catch((thrown: unknown) => thrown)
            seen.resolve(error === call.signal.reason)
            throw error
          }
        },
      })
      const { raw, outcomes, faults } = await boot([left])
      const body = chunks([file('a', 'begin').slice(0, -3)], never)
      const answer = raw.request({ method: 'POST', path: '/left', headers, body, signal: leaving(reading.promise) })
      await expect(answer).rejects.toThrow()
      expect(await seen.promise).toBe(true)
      expect(outcomes).toEqual([{ aborted: true, httpStatus: 499, code: undefined }])
      expect(faults()).toEqual([])
    })

    test.each(['fields', 'files'])('is 408 when the client stalls within its %s', async (where) => {
      const clock = createVirtualClock()
      const slow = route({
        http: { route: 'POST /slow', body: 'multipart', bodyTimeoutMs: 1000 },
        handler: async (_input, call) => {
          for await (const each of call.files) await each.bytes()
        },
      })
      const { raw, outcomes } = await boot([slow], { clock })
      const waiting = deferred<void>()
      const stalled = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from(where === 'fields' ? field('title', 'x').slice(0, -3) : file('a', 'begin').slice(0, -3))
        waiting.resolve()
        await never
      }
      const answer = raw.request({ method: 'POST', path: '/slow', headers, body: stalled() })
      await waiting.promise
      await expect
        .poll(async () => {
          await clock.advance(500)
          return outcomes
        })
        .toEqual([{ aborted: false, httpStatus: 408, code: 'request_timeout' }])
      expect((await answer).status).toBe(408)
    })

    test('may still be read by a streamed answer that is made of its files', async () => {
      const shout = route({
        http: { route: 'POST /shout', body: 'multipart' },
        handler: (_input, call) =>
          reply.stream(
            (async function* () {
              for await (const each of call.files)
                for await (const part of each) yield Buffer.from(part).toString().toUpperCase()
            })(),
          ),
      })
      const { raw } = await boot([shout])
      const body = chunks([file('a', 'begin').slice(0, -2), 'ning\r\n', file('b', 'rest'), end])
      const answer = await raw.request({ method: 'POST', path: '/shout', headers, body })
      expect(Buffer.from(answer.body).toString()).toBe('BEGINNINGREST')
    })

    test('keeps the current call', async () => {
      const own = route({
        http: { route: 'POST /own', body: 'multipart' },
        handler: async (_input, call) => {
          for await (const each of call.files) await each.text()
          return currentCall()?.id === call.id
        },
      })
      const { request } = await boot([own], { asyncContext: true })
      expect((await request('POST /own', { body: field('a', 'b') + file('a', 'x') + end, headers })).json()).toBe(true)
    })
  })
})

function leaving(when: Promise<unknown>): AbortSignal {
  const controller = new AbortController()
  void when.then(() => controller.abort())
  return controller.signal
}
