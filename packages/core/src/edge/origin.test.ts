import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findOriginError, isOwnOrigin } from './origin.ts'

describe('an origin', () => {
  it.each([
    ['https://app.example', 'app.example', true],
    ['https://app.example', 'app.example:443', true],
    ['https://app.example', 'APP.example', true],
    ['https://app.example', 'app.example.', true],
    ['https://app.example', 'app.example.:443', true],
    ['https://app.example:8443', 'app.example:8443', true],
    ['https://[::1]', '[::1]:443', true],
    ['https://[::1]:8443', '[0:0:0:0:0:0:0:1]:8443', true],
    ['https://xn--bcher-kva.example', 'xn--bcher-kva.example', true],
    // It is not known that the client used TLS.
    ['https://app.example', 'app.example', false],
    ['https://app.example', 'app.example:443', false],
    ['http://app.example', 'app.example:80', false],
    ['http://app.example:8000', 'app.example:8000', false],
    ['http://127.0.0.1:8000', '127.0.0.1:8000', false],
  ])('%s is that of the host %s (TLS: %s)', (origin, host, secure) => {
    expect(isOwnOrigin(origin, host, secure)).toBe(true)
  })

  it.each([
    ['http://app.example', 'app.example', true],
    ['http://app.example', 'app.example:443', false],
    ['https://app.example', 'app.example:80', false],
    ['https://app.example:8443', 'app.example', true],
    ['https://app.example.evil.example', 'app.example', true],
    ['https://evil.example', 'app.example', true],
    ['https://evil.example', 'x@evil.example', true],
    ['https://evil.example', 'app.example@evil.example', true],
    ['https://app.example@evil.example', 'app.example', true],
    ['https://app.example/x', 'app.example', true],
    ['https://app.example', 'app.example/x', true],
    ['ftp://app.example', 'app.example', false],
    ['file://', '', false],
    ['null', 'null', false],
    ['', '', false],
    ['https://app.example', '', true],
    ['https://', '', true],
    ['https://app.example https://app.example', 'app.example', true],
  ])('%s is not that of the host %s (TLS: %s)', (origin, host, secure) => {
    expect(isOwnOrigin(origin, host, secure)).toBe(false)
  })

  it('is that of its own host for whatever browsers send, and never throws', () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ['http', 'https'] }), (text) => {
        const { origin, host } = new URL(text)
        expect(isOwnOrigin(origin, host, origin.startsWith('https:'))).toBe(true)
        expect(isOwnOrigin(`${origin}.evil.example`, host, false)).toBe(false)
      }),
    )
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.boolean(), (origin, host, secure) => {
        expect(isOwnOrigin(origin, host, secure)).toBeTypeOf('boolean')
      }),
    )
  })
})

interface Sent {
  readonly origin?: string
  readonly site?: string
}
const error = (wire: 'http' | 'ws', method: string, { origin, site }: Sent) =>
  findOriginError(
    {
      wire,
      method,
      secure: true,
      headers: {
        host: 'app.example',
        ...(origin !== undefined && { origin }),
        ...(site !== undefined && { 'sec-fetch-site': site }),
      },
    },
    ['https://listed.example'],
  )
const own = 'https://app.example'
const listed = 'https://listed.example'
const foreign = 'https://evil.example'

describe('a request', () => {
  it.each<Sent>([
    {},
    { site: 'same-origin' },
    { site: 'none' },
    { origin: own },
    { origin: own, site: 'same-origin' },
    // A page with `Referrer-Policy: no-referrer` sends this.
    { origin: 'null', site: 'same-origin' },
    { origin: listed },
    { origin: listed, site: 'cross-site' },
    { origin: listed, site: 'same-site' },
  ])('with %o passes', (sent) => {
    expect(error('http', 'POST', sent)).toBeNull()
  })

  it.each<Sent>([
    { origin: foreign },
    { origin: 'null' },
    { origin: 'null', site: 'cross-site' },
    { site: 'cross-site' },
    { site: 'same-site' },
    { site: 'something else' },
    { site: 'same-origin, cross-site' },
    { origin: own, site: 'cross-site' },
    { origin: own, site: 'same-site' },
    { origin: `${listed}, ${foreign}` },
    { origin: 'https://LISTED.example.evil.example' },
    { origin: 'http://app.example' },
  ])('with %o is refused, unless its method changes nothing', (sent) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'post', 'get', 'PROPFIND'])
      expect(error('http', method, sent)).toMatchObject({ code: 'permission_denied' })
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(error('http', method, sent)).toBeNull()
  })
})

describe('an upgrade', () => {
  it.each<Sent>([
    {},
    { origin: own },
    { origin: own, site: 'cross-site' },
    { origin: listed },
    { site: 'same-origin' },
  ])('with %o passes', (sent) => {
    expect(error('ws', 'GET', sent)).toBeNull()
  })
  it.each<Sent>([
    { origin: foreign },
    { origin: foreign, site: 'same-origin' },
    { origin: 'null' },
    { site: 'cross-site' },
  ])('with %o is refused', (sent) => {
    expect(error('ws', 'GET', sent)).toMatchObject({
      code: 'permission_denied',
      message: expect.stringMatching(
        /^This connection was opened by a page of .*list it in origins.*http\.trustedProxies/,
      ),
    })
  })
})
