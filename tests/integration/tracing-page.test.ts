// The blocks of docs_site/tracing.md: they compile, and a call has a trace.
import { context, trace } from '@opentelemetry/api'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

const page = await readBlocks('tracing-page')

describe('the blocks of the page about traces', () => {
  testBlocks(page)
  afterAll(() => {
    trace.disable()
    context.disable()
  })

  it('run', async () => {
    const { stopTracing } = await import(`${page.folder}/tracing.ts`)
    const { app } = await import(`${page.folder}/app.ts`)
    const { traceparent } = await import(`${page.folder}/client.ts`)
    await app.ready()
    expect(traceparent()).toBeUndefined()
    trace.getTracer('test').startActiveSpan('caller', (span) => {
      expect(traceparent()).toMatch(new RegExp(`^00-${span.spanContext().traceId}-[0-9a-f]{16}-0[01]$`))
      span.end()
    })
    const printed = vi.spyOn(console, 'dir').mockImplementation(() => {})
    await app.close()
    await stopTracing()
    printed.mockRestore()
  })
})
