import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import { HttpRouter } from './http-router.ts'

// Thousands of runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

function routerOf(...routes: string[]): HttpRouter<string> {
  return addTo(new HttpRouter<string>(), routes)
}

function addTo(router: HttpRouter<string>, routes: readonly string[]): HttpRouter<string> {
  for (const route of routes) {
    const [method = '', pattern = ''] = route.split(' ')
    router.add(method, pattern, route)
  }
  return router
}

const authors = routerOf(
  'GET /',
  'GET /authors',
  'POST /authors',
  'GET /authors/paginated',
  'GET /authors/:id',
  'PUT /authors/:id',
  'DELETE /authors/:authorId',
  'GET /authors/:id/books/:bookId',
  'GET /authors/paginated/books/first',
)

describe('find', () => {
  test.each([
    ['GET', '/', 'GET /', {}],
    ['GET', '/authors', 'GET /authors', {}],
    ['POST', '/authors', 'POST /authors', {}],
    ['GET', '/authors/paginated', 'GET /authors/paginated', {}],
    ['GET', '/authors/7', 'GET /authors/:id', { id: '7' }],
    ['DELETE', '/authors/7', 'DELETE /authors/:authorId', { authorId: '7' }],
    ['GET', '/authors/7/books/9', 'GET /authors/:id/books/:bookId', { id: '7', bookId: '9' }],
    ['GET', '/authors/a%2Fb%20%C3%A9', 'GET /authors/:id', { id: 'a/b \u00e9' }],
    ['GET', '/authors/a+b', 'GET /authors/:id', { id: 'a+b' }],
    ['GET', '/authors/__proto__', 'GET /authors/:id', { id: '__proto__' }],
  ])('%s %s', (method, path, value, params) => {
    expect(authors.find(method, path)).toEqual({ value, params })
  })

  test('a wildcard takes the rest, and goes last', () => {
    const files = routerOf('GET /files/*', 'GET /files/list', 'GET /files/:id', 'GET /files/:id/raw', 'GET /:a/b/*rest')
    const find = (path: string) => files.find('GET', path)
    expect(find('/files/list')).toMatchObject({ value: 'GET /files/list' })
    expect(find('/files/7')).toEqual({ value: 'GET /files/:id', params: { id: '7' } })
    expect(find('/files/7/raw')).toEqual({ value: 'GET /files/:id/raw', params: { id: '7' } })
    expect(find('/files/7/raw/x')).toEqual({ value: 'GET /files/*', params: { '*': '7/raw/x' } })
    expect(find('/files/a/b%20c/')).toEqual({ value: 'GET /files/*', params: { '*': 'a/b c/' } })
    expect(find('/x/b/c/d')).toEqual({ value: 'GET /:a/b/*rest', params: { a: 'x', rest: 'c/d' } })
    expect(find('/files/b/c')).toEqual({ value: 'GET /files/*', params: { '*': 'b/c' } })
    expect(find('/files')).toBeNull()
    expect(find('/files/')).toBeNull()
    expect(files.find('POST', '/files/a/b')).toEqual({ allow: ['GET', 'HEAD', 'OPTIONS'] })
    expect(routerOf('GET /*', 'GET /').find('GET', '/a/b')).toEqual({ value: 'GET /*', params: { '*': 'a/b' } })
  })

  test.each(['..', '../etc', 'a/../../etc', 'a/..', './a', '%2e%2e/etc', '%2E%2e%2fetc', 'a%5c..%5cb', 'a%00', '%ff'])(
    'a wildcard never matches a path that leaves its directory: %s',
    (rest) => {
      expect(routerOf('GET /files/*').find('GET', `/files/${rest}`)).toHaveProperty('error.code', 'malformed_request')
    },
  )

  test.each(['...', 'a..b/c', '.well-known/x', 'a/.b'])('and dots elsewhere do no harm: %s', (rest) => {
    expect(routerOf('GET /files/*').find('GET', `/files/${rest}`)).toMatchObject({ params: { '*': rest } })
  })

  test('goes back from a static segment that leads nowhere', () => {
    expect(authors.find('GET', '/authors/paginated/books/first')).toMatchObject({ params: {} })
    expect(authors.find('GET', '/authors/paginated/books/2')).toEqual({
      value: 'GET /authors/:id/books/:bookId',
      params: { id: 'paginated', bookId: '2' },
    })
    expect(authors.find('PUT', '/authors/paginated')).toEqual({
      value: 'PUT /authors/:id',
      params: { id: 'paginated' },
    })
    const deep = routerOf('GET /:a/x/y', 'GET /b/:c/z')
    expect(deep.find('GET', '/b/x/y')).toEqual({ value: 'GET /:a/x/y', params: { a: 'b' } })
    expect(deep.find('GET', '/b/x/z')).toEqual({ value: 'GET /b/:c/z', params: { c: 'x' } })
  })

  test.each([
    '/books',
    '/authors/',
    '/authors//',
    '/authors/7/',
    '/authors//books/9',
    '/Authors',
    '//',
    '',
    '*',
    'authors',
    'xauthors/7',
    '/authors/7/books',
    '/%61uthors',
  ])('does not match %s', (path) => {
    expect(authors.find('GET', path)).toBeNull()
  })

  test('names the methods of a path that is known under others', () => {
    expect(authors.find('PATCH', '/authors')).toEqual({ allow: ['GET', 'HEAD', 'OPTIONS', 'POST'] })
    expect(routerOf('PURGE /a', 'M-SEARCH /a', 'QUERY /a').find('GET', '/a')).toEqual({
      allow: ['M-SEARCH', 'OPTIONS', 'PURGE', 'QUERY'],
    })
    expect(routerOf('HEAD /a').find('GET', '/a')).toEqual({ allow: ['HEAD', 'OPTIONS'] })
    expect(routerOf('OPTIONS /a', 'GET /a').allow('/a')).toEqual(['GET', 'HEAD', 'OPTIONS'])
    expect(routerOf('OPTIONS /a').allow('/b')).toEqual([])
    expect(routerOf('OPTIONS /*').allow('*')).toEqual([])
    expect(authors.find('OPTIONS', '/authors/7')).toEqual({ allow: ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PUT'] })
    expect(routerOf('POST /a').find('GET', '/a')).toEqual({ allow: ['OPTIONS', 'POST'] })
    expect(routerOf('POST /a').find('HEAD', '/a')).toEqual({ allow: ['OPTIONS', 'POST'] })
  })

  test('HEAD is GET unless it has a route of its own', () => {
    expect(authors.find('HEAD', '/authors/7')).toEqual({ value: 'GET /authors/:id', params: { id: '7' } })
    expect(routerOf('GET /a', 'HEAD /a').find('HEAD', '/a')).toMatchObject({ value: 'HEAD /a' })
  })

  test.each(['%', '%2', '%zz', '%ff', '%c0%af', '%ed%a0%80'])('a parameter %s is malformed', (text) => {
    const match = authors.find('GET', `/authors/${text}`)
    expect(match).toMatchObject({ error: { code: 'malformed_request', message: expect.stringContaining(`'id'`) } })
  })

  test('a static hit is one frozen object, made at boot', () => {
    const hit = authors.find('GET', '/authors')
    expect(authors.find('GET', '/authors')).toBe(hit)
    expect(Object.isFrozen(hit)).toBe(true)
    expect(hit).toSatisfy((match: { params: object }) => Object.isFrozen(match.params))
  })

  test('answers like a list of regular expressions, tried static segments first', () => {
    const segment = fc.constantFrom('a', 'b', ':x', ':y')
    const patterns = fc.uniqueArray(fc.array(segment, { minLength: 1, maxLength: 4 }), {
      maxLength: 8,
      selector: (parts) => parts.map((part) => (part.startsWith(':') ? ':' : part)).join('/'),
    })
    const path = fc.array(fc.constantFrom('a', 'b', 'c', '', '%41'), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(patterns, path, (lists, parts) => {
        const router = new HttpRouter<string>()
        const candidates: { key: string; shape: string; pattern: RegExp }[] = []
        for (const list of lists) {
          const named = list.map((part, place) => (part.startsWith(':') ? `:p${place}` : part))
          const key = `/${named.join('/')}`
          router.add('GET', key, key)
          const shape = list.map((part) => (part.startsWith(':') ? '~' : part)).join('/')
          candidates.push({ key, shape, pattern: new RegExp(`^/${shape.replaceAll('~', '([^/]+)')}$`) })
        }
        // '~' sorts after every letter: a static segment goes first, from the left.
        candidates.sort((a, b) => (a.shape < b.shape ? -1 : 1))
        const text = `/${parts.join('/')}`
        const expected = candidates.find((candidate) => candidate.pattern.test(text))
        const found = router.find('GET', text)
        if (expected === undefined) {
          expect(found).toBeNull()
        } else {
          const values = (expected.pattern.exec(text) ?? []).slice(1).map(decodeURIComponent)
          expect(found).toMatchObject({ value: expected.key })
          expect(Object.values((found as { params: Record<string, string> }).params)).toEqual(values)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (method, path) => {
        authors.find(method, path)
        authors.find('GET', `/authors/${path}`)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('add', () => {
  test('refuses a path that is there, whatever its parameters are called, and names both', () => {
    const router = routerOf('GET /authors/:id', 'GET /authors')
    const add = (): void => router.add('GET', '/authors/:authorId', 'x')
    expect(add).toThrow(BootError)
    expect(add).toThrow(expect.objectContaining({ code: 'duplicate_path' }))
    expect(add).toThrow('GET /authors/:authorId and GET /authors/:id are the same path: change or remove one of them')
    expect(() => router.add('GET', '/authors', 'x')).toThrow('GET /authors and GET /authors are the same path')
    expect(() => router.add('GET', '/authors/', 'x')).not.toThrow()
    expect(() => router.add('PUT', '/authors/:id', 'x')).not.toThrow()
  })

  test('refuses a method in small letters and a bad pattern', () => {
    const router = new HttpRouter<string>()
    expect(() => router.add('get', '/a', 'x')).toThrow(expect.objectContaining({ code: 'bad_path' }))
    expect(() => router.add('GET', 'a', 'x')).toThrow(expect.objectContaining({ code: 'bad_path' }))
  })
})

describe('addMount', () => {
  const value = (router: HttpRouter<string>, target: string): unknown => {
    const [method = '', path = ''] = target.split(' ')
    const match = router.find(method, path)
    if (match === null) return null
    return 'value' in match ? match.value : 'error' in match ? match.error.code : match.allow
  }

  test('has what no route has, whatever was added first', () => {
    const mountFirst = new HttpRouter<string>()
    mountFirst.addMount('/a', (method) => `${method} mount`)
    addTo(mountFirst, ['GET /a/own', 'GET /a/:id/x', 'PUT /a', 'GET /*rest'])
    const routesFirst = routerOf('GET /a/own', 'GET /a/:id/x', 'PUT /a', 'GET /*rest')
    routesFirst.addMount('/a', (method) => `${method} mount`)
    for (const router of [mountFirst, routesFirst]) {
      expect(value(router, 'GET /a/own')).toBe('GET /a/own')
      expect(value(router, 'HEAD /a/own')).toBe('GET /a/own')
      expect(value(router, 'POST /a/own')).toBe('POST mount')
      expect(value(router, 'GET /a/1/x')).toBe('GET /a/:id/x')
      expect(value(router, 'GET /a/1/y')).toBe('GET mount')
      expect(value(router, 'HEAD /a/1/y')).toBe('GET mount')
      expect(value(router, 'PUT /a')).toBe('PUT /a')
      expect(value(router, 'GET /a/')).toBe('GET mount')
      expect(value(router, 'PURGE /a/b')).toBe('ALL mount')
      expect(value(router, 'GET /ab')).toBe('GET /*rest')
      expect(value(router, 'PURGE /ab')).toEqual(['GET', 'HEAD', 'OPTIONS'])
      expect(value(router, 'PURGE /')).toBe(null)
    }
  })

  test('has the path itself at the root, and the deeper of two', () => {
    const router = new HttpRouter<string>()
    router.addMount('/', () => 'root')
    router.addMount('/a/b', () => 'deep')
    expect(['/', '/a', '/a/', '/a/b', '/a/b/', '/a/b/c', '//a/b'].map((path) => value(router, `GET ${path}`))).toEqual([
      'root',
      'root',
      'root',
      'deep',
      'deep',
      'deep',
      'root',
    ])
    expect(() => router.addMount('/a/b', () => 'x')).toThrow(expect.objectContaining({ code: 'duplicate_path' }))
  })

  test('refuses a path whose URL is another one, or that another route has without its encoding', () => {
    const router = routerOf('GET /own')
    router.addMount('/', () => 'root')
    router.addMount('/a', () => 'a')
    for (const path of ['/..', '/a/../b', '/%2e%2E', '/.%2e/x', '/a/.', '/a\\b', '/%61', '/%61/x', '/%2561', '/%6fwn'])
      expect([path, value(router, `GET ${path}`)]).toEqual([path, 'malformed_request'])
    for (const path of ['/%62', '/a%2Fb', '/x/%7Euser', '/.well-known/x', '/...', '/%E0%A4', '/%'])
      expect([path, value(router, `GET ${path}`)]).toEqual([path, 'root'])
    expect(value(router, 'HEAD /%6fwn')).toBe('malformed_request')
    expect(value(router, 'POST /%6fwn')).toBe('root')
  })
})
