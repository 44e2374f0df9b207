// A client in Python, made by protoc from the file that users get, speaks to the reference application.
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startExample } from '../support/example.ts'
import { protoPath } from '../support/protobuf-schema.ts'
import { findPython } from '../support/python.ts'

const zeroUuid = '00000000-0000-0000-0000-000000000000'
const python = findPython()
const script = fileURLToPath(new URL('../support/protobuf-client.py', import.meta.url))

/** An embedded database takes its time on a busy machine. */
const startTimeoutMs = 180_000

describe.skipIf(python === null)('a client in Python', () => {
  test(
    'calls the example, reads errors and pages, gets events and subscribes [defect 36]',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'twinwire-protobuf-'))
      onTestFinished(() => rm(folder, { recursive: true, force: true }))
      execFileSync('protoc', [`--python_out=${folder}`, `-I${dirname(protoPath)}`, protoPath])
      const example = await startExample({ databaseUrl: `pglite://${join(folder, 'data')}` })
      onTestFinished(async () => void (await example.stop()))
      const url = `${example.socketUrl}?format=protobuf`
      const output = execFileSync(python ?? '', [script, url, example.tokens?.admin ?? '', folder], {
        encoding: 'utf8',
        timeout: 120_000,
      })
      const reply = { pkg_id: 1, req_id: expect.any(String), status_code: 0, data_is_null: false, unknown: 0 }
      const error = (pkg_id: number, status_code: number, code: string): object => ({
        ...reply,
        pkg_id,
        status_code,
        data: expect.objectContaining({ code, msg: expect.any(String) }),
      })
      const received: Record<string, unknown> = JSON.parse(output)
      expect(received).toMatchObject({
        authors: { ...reply, data: [{ id: 3, name: 'Octavia E. Butler' }] },
        none: { ...reply, data_json: '[]', data: [] },
        page: {
          ...reply,
          pkg_id: 2,
          data: [{ id: 4 }, { id: 5 }, { id: 6 }],
          meta: { page: 2, per_page: 3, total: 10, pages: 4, next_cursor: '', has_more: true, more: false },
        },
        cursor: {
          ...reply,
          pkg_id: 2,
          meta: { page: 1, per_page: 3, total: 0, pages: 0, next_cursor: expect.stringMatching(/./), has_more: true },
        },
        invalid: error(3, 2, 'validation_error'),
        unmatched: error(77, 1, 'not_found'),
        malformed: error(0, 2, 'malformed_request'),
        created: { ...reply, pkg_id: 3, data: { name: 'Stanisław Lem, by protobuf' } },
        conflict: error(3, 2, 'conflict'),
        control: [{ type: 'auth_ok' }, { type: 'subscribed', id: 1, topic: 'authors' }],
      })
      const event = { req_id: zeroUuid, data_is_null: false, unknown: 0 }
      const place = { topic: 'authors', epoch: expect.stringMatching(/./), offset: '2' }
      const name = 'Stanisław Lem, by protobuf'
      const again: { readonly req_id: string } = Object(received.again)
      expect(received.events).toMatchObject([
        { ...event, pkg_id: 100, data: { name }, topic: '', epoch: '', offset: '0', cause: '' },
      ])
      expect(received.later).toMatchObject([
        { ...event, pkg_id: 100, topic: '@all', cause: again.req_id },
        { ...event, pkg_id: 101, data: { change: 'created', name: `${name}, again` }, ...place, cause: again.req_id },
      ])
    },
    startTimeoutMs,
  )
})
