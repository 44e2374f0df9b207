// The pages of plugin-openapi are built files beside its code.
import { readdir, readFile } from 'node:fs/promises'
import { staticFiles } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { consoleFolder } from '@twinwire/plugin-openapi'
import { expect, onTestFinished, test } from 'vitest'
import { buildPages } from '../support/pages.ts'

test('two builds at once leave whole files, and nothing else', async () => {
  await Promise.all([buildPages(), buildPages(), buildPages()])
  const names = await readdir(new URL('..', consoleFolder()), { recursive: true })
  expect(names.filter((name) => /draft/.test(name))).toEqual([])
  expect(names).toEqual(
    expect.arrayContaining([
      'console/index.html',
      'console/page.css',
      'console/page.js',
      'websocket/index.html',
      'websocket/page.css',
      'websocket/page.js',
      'swagger/LICENSE',
      'swagger/NOTICE',
      'swagger/swagger-ui-bundle.js',
      'swagger/swagger-ui.css',
    ]),
  )
})

test('a built script calls nothing by text', async () => {
  await buildPages()
  for (const page of ['console', 'websocket']) {
    const script = await readFile(new URL(`../${page}/page.js`, consoleFolder()), 'utf8')
    expect(script).not.toMatch(/\beval\b|new Function|innerHTML|insertAdjacentHTML|document\.write/)
  }
})

test('any app serves the console as static files', async () => {
  await buildPages()
  const app = await createTestApp({
    pkgIds: {},
    routes: {},
    endpoints: [staticFiles({ root: consoleFolder(), prefix: '/', access: 'public' })],
  })
  onTestFinished(() => app.close())
  const { status, text } = await app.request('GET /')
  expect([status, text]).toEqual([200, expect.stringContaining('<script type="module" src="page.js">')])
})
