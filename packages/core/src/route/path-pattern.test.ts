import { describe, expect, test } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import { parsePattern, pathParameters } from './path-pattern.ts'

describe('parsePattern', () => {
  test.each([
    ['/', [''], '/'],
    ['/authors', ['authors'], '/authors'],
    ['/authors/', ['authors', ''], '/authors/'],
    ['/authors/:id', ['authors', null], '/authors/:'],
    ['/authors/:id/books/:bookId', ['authors', null, 'books', null], '/authors/:/books/:'],
    ['/v1.0/a-b_c~d', ['v1.0', 'a-b_c~d'], '/v1.0/a-b_c~d'],
    ['/*', [], '/*'],
    ['/files/*', ['files'], '/files/*'],
    ['/:user/files/*path', [null, 'files'], '/:/files/*'],
  ])('%s', (text, segments, shape) => {
    expect(parsePattern(text)).toMatchObject({ text, segments, shape })
  })

  test.each([
    ['authors', `must begin with '/'`],
    ['', `must begin with '/'`],
    ['//authors', 'has an empty segment'],
    ['/a//b', 'has an empty segment'],
    ['/a/../b', `has the segment '..'`],
    ['/a b', `has the segment 'a b'`],
    ['/caf\u00e9', 'only letters'],
    ['/a%20b', 'only letters'],
    ['/files/*/more', 'a wildcard must be the last segment'],
    ['/*path/more', 'a wildcard must be the last segment'],
    ['/files/a*', 'only letters'],
    ['/files/*a-b', 'which is not a valid name'],
    ['/files/*__proto__', 'which is not a valid name'],
    ['/:path/*path', `has the parameter 'path' twice`],
    ['/a//*', 'has an empty segment'],
    ['/a?b=1', 'only letters'],
    ['/a#b', 'only letters'],
    ['/:id.json', `'id.json', which is not a valid name`],
    ['/v:id', 'a parameter must be a whole segment'],
    ['/:', `'', which is not a valid name`],
    ['/:1', `'1', which is not a valid name`],
    ['/:id?', `'id?', which is not a valid name`],
    ['/:__proto__', `'__proto__', which is not a valid name`],
    ['/:constructor', 'which is not a valid name'],
    ['/:prototype', 'which is not a valid name'],
    ['/a/:id/b/:id', `has the parameter 'id' twice`],
  ])('refuses %s', (text, reason) => {
    const parse = (): unknown => parsePattern(text)
    expect(parse).toThrow(BootError)
    expect(parse).toThrow(reason)
    expect(parse).toThrow(expect.objectContaining({ code: 'bad_path' }))
    expect(parse).toThrow(`The path '${text}'`)
  })
})

test('pathParameters has the names in order', () => {
  expect(pathParameters('/authors/:id/books/:bookId')).toEqual(['id', 'bookId'])
  expect(pathParameters('/authors')).toEqual([])
  expect(pathParameters('/:user/*')).toEqual(['user', '*'])
  expect(pathParameters('/:user/*path')).toEqual(['user', 'path'])
})
