// A block of docs_site/input-and-output.md that its commands do not run: a body that is streamed until its reader leaves.
import type { AnyEndpoint } from '@twinwire/core'
import { createTestLogger, onTransports } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

const page = await readBlocks('input-and-output', 'input-and-output-page')

describe('the blocks of the page about input and output', () => {
  testBlocks(page)

  onTransports({ describe, afterEach }, ({ start }) => {
    it('clock.ts sends the time, and ends without an error when its reader leaves', async () => {
      const { clock }: { clock: AnyEndpoint } = await import(`${page.folder}/clock.ts`)
      const logger = createTestLogger()
      const { app, raw, request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [clock],
        log: { logger, access: 'all' },
      })
      const leave = new AbortController()
      const { status, headers, body } = await raw.stream({ method: 'GET', path: '/clock', signal: leave.signal })
      expect([status, headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8'])
      const reader = body[Symbol.asyncIterator]()
      const { value } = await reader.next()
      expect(Buffer.from(value ?? []).toString()).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\n$/)
      leave.abort(new Error('The reader has left'))
      await expect(reader.next()).rejects.toThrow()
      expect(await request('HEAD /clock')).toMatchObject({ status: 200, text: '' })
      await app.close()
      const statuses = logger.lines.flatMap(({ fields }) => ('status_code' in fields ? [fields['status_code']] : []))
      expect(statuses).toEqual([200, 200])
      // What the aborted timer has thrown is not logged, and nothing was cut.
      expect(logger.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
    })
  })
})
