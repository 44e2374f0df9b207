// The blocks of docs_site/compression.md: which of the routes are compressed.
import { request } from 'node:http'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { parseAnswer, readPage, shownBlocks, startProgram } from '../support/page-program.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const page = await readBlocks('compression')

/** `fetch` has headers of its own. */
function headersOf(url: string, headers: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers }, (answer) => {
      answer.resume().once('end', () => resolve({ ...answer.headers, status: answer.statusCode }))
    })
    sent.once('error', reject).end()
  })
}

describe('the blocks of the page about compression', () => {
  testBlocks(page)

  it('compress what the page says', async () => {
    const issuer = await createTestIssuer({ clientId: 'app' })
    onTestFinished(() => issuer.stop())
    const program = startProgram(page.folder, 'main.ts', { PORT: '0', ISSUER: issuer.issuer })
    const [url] = await program.find(/^http:\S+$/m)
    const encodings: Record<string, unknown> = {}
    for (const path of ['/books', '/start', '/report', '/search']) {
      const headers = { 'accept-encoding': 'gzip, br', authorization: `Bearer ${issuer.token()}` }
      const answer = await headersOf(`${url}${path}`, headers)
      expect(answer['status']).toBe(200)
      encodings[path] = answer['content-encoding']
    }
    expect(encodings).toEqual({ '/books': 'br', '/report': 'br', '/start': undefined, '/search': undefined })
    // As curl --compressed asks.
    const answer = await headersOf(`${url}/books`, { 'accept-encoding': 'deflate, gzip, br, zstd' })
    const shown = parseAnswer(shownBlocks(readPage('compression'), 'http')[0] ?? '')
    expect(answer).toMatchObject({ ...shown.headers, status: shown.status })
    await program.end()
  })
})
