import { describe, expect, it } from 'vitest'
import { fillPage, toRelative } from './page-text.ts'

const links = { openapi: '/openapi.json', asyncapi: '/asyncapi.json', http: '/docs', websocket: null, root: '/' }
const html = `<!doctype html>
<html lang="en" data-openapi="old">
<link rel="icon" href="data:,"><link href="../swagger/ui.css"><script src="page.js"></script><a href="#api"></a><a href="https://a.example/b"></a>`

describe('a page', () => {
  it('has addresses that are relative to it', () => {
    expect(fillPage(html, '/docs', '/docs/http', links)).toBe(`<!doctype html>
<html lang="en" data-openapi="./openapi.json" data-asyncapi="./asyncapi.json" data-http="./docs" data-websocket="" data-root="./">
<link rel="icon" href="data:,"><link href="./docs/swagger/ui.css"><script src="./docs/http/page.js"></script><a href="#api"></a><a href="https://a.example/b"></a>`)
  })

  it.each([
    ['/docs', '/'],
    ['/docs', '/docs/http/page.js'],
    ['/docs/websocket', '/docs'],
    ['/docs/websocket', '/'],
    ['/api/v1/docs/websocket', '/api/openapi.json'],
    ['/api/docs', '/other/a.json'],
    ['/a', '/a/a'],
  ])('a link from %s to %s is the same below a prefix', (from, to) => {
    const link = toRelative(from, to)
    expect(new URL(link, `http://a.example${from}`).pathname).toBe(to)
    expect(new URL(link, `http://a.example/prefix${from}`).pathname).toBe(`/prefix${to}`)
  })
})
