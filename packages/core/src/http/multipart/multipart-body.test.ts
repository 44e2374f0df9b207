import { existsSync, readdirSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { missingPeer } from '../../base/peer.ts'
import type { MultipartFile, TemporaryFile } from '../../call/multipart-file.ts'
import { toMultipartLimits } from '../../route/multipart-limits.ts'
import { deferred } from '../../testing/suite.fixtures.ts'
import { type BodyOptions, openBody, readBody, toBytes } from './multipart.fixtures.ts'
import type { MultipartBody } from './multipart-body.ts'

const cat = `--b
Content-Disposition: form-data; name="photo"; filename="cat.png"
Content-Type: image/png

meow
`
const title = `--b
Content-Disposition: form-data; name="title"

My cat
`
const end = '--b--\n'

const field = (name: string, value: string): string =>
  `--b\nContent-Disposition: form-data; name="${name}"\n\n${value}\n`
const file = (disposition: string, more = '', content = 'x'): string =>
  `--b\nContent-Disposition: form-data; name="f"; ${disposition}\n${more}\n${content}\n`

const isUpload = (name: string): boolean => name.startsWith('twinwire-upload-')

async function firstFile(body: MultipartBody): Promise<MultipartFile> {
  await body.readFields()
  for await (const each of body) return each
  throw new Error('no file')
}

const failureOf = async (body: string | Uint8Array, options: BodyOptions = {}): Promise<object> => {
  const error: unknown = await (async () => readBody(openBody(body, options)))().catch((thrown: unknown) => thrown)
  if (!(error instanceof Error) || !('httpStatus' in error) || !('details' in error)) throw error
  return { status: error.httpStatus, message: error.message, details: error.details }
}
const invalid = (message: string, path = '') => ({
  status: 422,
  message: 'Invalid input',
  details: [{ path, message }],
})
const large = (what: string, bytes: number) => ({
  status: 413,
  message: `The ${what} may have at most ${bytes} bytes`,
  details: { max_bytes: bytes },
})

describe('fields and files', () => {
  test.each([1, 2, 3, 7, 64, 10_000])('however the body is cut: pieces of %i bytes', async (chunkBytes) => {
    const body =
      title + field('tag', 'a') + field('tag', 'b') + field('tag', 'c') + field('empty', '') + cat + cat + end
    expect(await readBody(openBody(body, { chunkBytes }))).toEqual({
      fields: { title: 'My cat', tag: ['a', 'b', 'c'], empty: '' },
      files: [
        { field: 'photo', filename: 'cat.png', contentType: 'image/png', bytes: Buffer.from('meow') },
        { field: 'photo', filename: 'cat.png', contentType: 'image/png', bytes: Buffer.from('meow') },
      ],
    })
  })

  test('a body without parts; what is behind the last boundary is ignored, what is before the first one is not', async () => {
    expect(await readBody(openBody(end))).toEqual({ fields: {}, files: [] })
    for (const chunkBytes of [1, 5, 1000]) {
      const body = `\n\n${title}${cat}--b--\nto be ignored\n--b\n`
      expect(await readBody(openBody(body, { chunkBytes }))).toMatchObject({ fields: { title: 'My cat' } })
      for (const before of ['not to be ignored\n', '\n-b\n', ' ', '\0'])
        expect(await failureOf(before + title + end, { chunkBytes })).toEqual(
          invalid('The body must begin with its boundary'),
        )
    }
  })

  test('bytes are bytes, also those that look like a boundary', async () => {
    const content = Buffer.concat([
      Buffer.from('\r\n--\r\n--a\r\n-b--b\r'),
      Buffer.from([0, 255, 13, 10, 0]),
      Buffer.from('--'),
    ])
    const [head = '', tail = ''] = cat.split('meow')
    const body = Buffer.concat([toBytes(head), content, toBytes(tail + end)])
    for (const chunkBytes of [1, 4, 1000]) {
      const { files } = await readBody(openBody(body, { chunkBytes }))
      expect(files[0]?.bytes).toEqual(content)
    }
  })

  test('an empty file input of a browser is a file without a name and without bytes', async () => {
    const body = file('filename=""', 'Content-Type: application/octet-stream\n', '') + end
    const { files } = await readBody(openBody(body))
    expect(files).toEqual([
      { field: 'f', filename: null, contentType: 'application/octet-stream', bytes: Buffer.alloc(0) },
    ])
  })

  test('no field reaches a prototype', async () => {
    const fields = await openBody(field('toString', 'x') + field('a[__proto__]', 'y') + end).readFields()
    expect(Object.getPrototypeOf(fields)).toBeNull()
    expect({ ...fields }).toEqual({ toString: 'x', 'a[__proto__]': 'y' })
    for (const name of ['__proto__', 'constructor', 'prototype'])
      expect(await failureOf(field(name, 'x') + end)).toEqual(invalid('Key is not allowed', name))
    const disposition = '--b\nContent-Disposition: form-data; name="__proto__"; filename=x\n\nx\n'
    expect(await failureOf(disposition + end)).toEqual(invalid('Key is not allowed', '__proto__'))
  })
})

describe('what the headers of a part may say', () => {
  const filenameOf = async (disposition: string): Promise<string | null> =>
    (await firstFile(openBody(file(disposition) + end))).filename

  test.each([
    ['filename="cat.png"', 'cat.png'],
    ['filename=cat.png', 'cat.png'],
    ['FileName = "cat.png" ;', 'cat.png'],
    ['filename="../../etc/passwd"', 'passwd'],
    ['filename="/etc/passwd"', 'passwd'],
    ['filename="C:\\photos\\cat.png"', 'cat.png'],
    ['filename="C:cat.png"', 'C_cat.png'],
    ['filename="a.txt:hidden"', 'a.txt_hidden'],
    ['filename="a%22b%0D%0Ac.txt"', 'a"bc.txt'],
    ['filename="a\\"b.txt"', 'a"b.txt'],
    ['filename="ends with \\"', null],
    ['filename="a; b.txt"', 'a; b.txt'],
    ['filename="Füße 🐈.txt"', 'Füße 🐈.txt'],
    ['filename="a\u0000\u0007\u007f\u0085b"', 'ab'],
    ['filename="gpj.\u202ecod.exe"', 'gpj.cod.exe'],
    ['filename=".."', null],
    ['filename="."', null],
    ['filename=" . "', null],
    ['filename="a/"', null],
    ['filename="..\\.."', null],
    ['filename=".htaccess"', '.htaccess'],
    ["filename*=UTF-8''%e2%82%ac%20rates.txt", '€ rates.txt'],
    ['filename="fallback.txt"; filename*=utf-8\'en\'%2fetc%2f%E2%82%AC', '€'],
    ["filename*=iso-8859-1'en'%A3%20rates", '£ rates'],
    ['filename="plain.txt"; filename*=koi8-r\'\'%A3', 'plain.txt'],
    ['filename="plain.txt"; filename*=UTF-8\'\'%ff', 'plain.txt'],
    ['filename="plain.txt"; filename*=UTF-8\'\'%zz', 'plain.txt'],
  ])('%s', async (disposition, expected) => {
    expect(await filenameOf(disposition)).toBe(expected)
  })

  test('a file name that is not UTF-8 is readable, the name of a field must be UTF-8', async () => {
    const latin1 = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1')
    const { filename } = await firstFile(openBody(latin1(file('filename="Fü.txt"') + end)))
    expect(filename).toBe('F\uFFFD.txt')
    expect(await failureOf(latin1(field('ü', 'x') + end))).toEqual(invalid('The name of a part is not valid UTF-8'))
    expect(await failureOf(latin1(field('u', 'ü') + end))).toEqual(invalid('The text is not valid utf-8', 'u'))
  })

  test('names as browsers escape them', async () => {
    const fields = await openBody(field('a%22b%0D%0Ac%41', 'x') + field('back\\slash\\', 'y') + end).readFields()
    expect({ ...fields }).toEqual({ 'a"b\r\nc%41': 'x', 'back\\slash\\': 'y' })
  })

  test('the charset of a field, and of the text of a file', async () => {
    const head = '--b\nContent-Disposition: form-data; name="a"\nContent-Type: text/plain; charset="ISO-8859-1"\n\n'
    const body = (name: string): Buffer =>
      Buffer.from(
        `${head}ü\n${file(`filename=x`, `Content-Type: text/plain;charset=${name}\n`, 'ü')}${end}`.replaceAll(
          '\n',
          '\r\n',
        ),
        'latin1',
      )
    const open = openBody(body('latin1'))
    expect({ ...(await open.readFields()) }).toEqual({ a: 'ü' })
    for await (const each of open) expect(await each.text()).toBe('ü')
    const wrong = openBody(body('utf-8'))
    await wrong.readFields()
    for await (const each of wrong)
      await expect(each.text()).rejects.toMatchObject({ details: invalid('The text is not valid utf-8', 'f').details })
    expect(await failureOf(body('klingon'))).toMatchObject({
      status: 415,
      message: "The charset of 'f' is not known: use utf-8",
    })
  })

  test.each([
    ['base64', 'bWVv\ndw==', 'meow'],
    ['BASE64', 'bWVvdw', 'meow'],
    ['quoted-printable', 'm=65o=\nw=3D=C3=BC', 'meow=ü'],
    ['8bit', 'meow', 'meow'],
    ['7bit', 'meow', 'meow'],
    ['binary', 'meow', 'meow'],
  ])('Content-Transfer-Encoding: %s', async (encoding, written, meant) => {
    for (const chunkBytes of [1, 2, 3, 5, 1000]) {
      const body = file('filename=x', `Content-Transfer-Encoding: ${encoding}\n`, written) + end
      const { files } = await readBody(openBody(body, { chunkBytes }))
      expect(files[0]?.bytes.toString()).toBe(meant)
    }
  })

  test.each([
    ['base64', 'bWV'.padEnd(5, 'v')],
    ['base64', 'b*Vv'],
    ['base64', 'bWU=bWU='],
    ['base64', 'b-_v'],
    ['quoted-printable', 'a=zz'],
    ['quoted-printable', 'a=4'],
  ])('bytes that are not %s: %s', async (encoding, written) => {
    const body = file('filename=x', `Content-Transfer-Encoding: ${encoding}\n`, written) + end
    for (const chunkBytes of [1, 1000])
      expect(await failureOf(body, { chunkBytes })).toEqual(invalid(`The bytes are not ${encoding}`, 'f'))
  })

  const needsDisposition = invalid('Each part must have one header Content-Disposition: form-data; name="…"')
  test.each([
    ['without headers', '--b\n\nx\n', needsDisposition],
    ['with another one only', '--b\nContent-Type: text/plain\n\nx\n', needsDisposition],
    ['no form-data', '--b\nContent-Disposition: attachment; name="a"\n\nx\n', needsDisposition],
    [
      'two of them',
      '--b\nContent-Disposition: form-data; name="a"\nContent-Disposition: form-data; name="b"\n\nx\n',
      needsDisposition,
    ],
    [
      'a line that is not a header before it',
      '--b\nnonsense\nContent-Disposition: form-data; name="a"\n\nx\n',
      needsDisposition,
    ],
    ['a quote without an end', '--b\nContent-Disposition: form-data; name="a\n\nx\n', needsDisposition],
    ['text behind a quote', '--b\nContent-Disposition: form-data; name="a"b\n\nx\n', needsDisposition],
    ['two names', '--b\nContent-Disposition: form-data; name="a"; name="b"\n\nx\n', needsDisposition],
    ['two file names', file('filename=a; filename=b'), needsDisposition],
    [
      'no name',
      '--b\nContent-Disposition: form-data\n\nx\n',
      invalid('Content-Disposition of each part must have a name'),
    ],
    [
      'an end within them',
      '--b\nContent-Disposition: form-data; name="a"\n',
      invalid('A part ends within its headers'),
    ],
    [
      'an encoding that is none',
      '--b\nContent-Disposition: form-data; name="a"\nContent-Transfer-Encoding: x-uu\n\nx\n',
      invalid('Content-Transfer-Encoding must be 7bit, 8bit, binary, base64 or quoted-printable', 'a'),
    ],
    [
      'headers that are long',
      `--b\nContent-Disposition: form-data; name="a"\nX: ${'x'.repeat(9000)}\n\nx\n`,
      invalid('A part may have at most 16 headers, of 8192 bytes in all'),
    ],
    [
      'headers that are endless',
      `--b\nContent-Disposition: form-data; name="a"\nX: ${'x'.repeat(90_000)}\n\nx\n`,
      invalid('A part may have at most 16 headers, of 8192 bytes in all'),
    ],
    [
      'many headers',
      `--b\nContent-Disposition: form-data; name="a"\n${'X: y\n'.repeat(30)}\nx\n`,
      invalid('A part may have at most 16 headers, of 8192 bytes in all'),
    ],
  ])('broken headers: %s', async (_what, part, expected) => {
    for (const chunkBytes of part.length > 1000 ? [100, 100_000] : [1, 10, 100_000]) {
      expect(await failureOf(part + end, { chunkBytes })).toEqual(expected)
      expect(await failureOf(title + part + title + end, { chunkBytes })).toEqual(expected)
    }
  })
})

describe('the body as a whole', () => {
  test('another content type is 415, one without a boundary 422', async () => {
    const ofType = (contentType: string): Promise<object> => failureOf(end, { contentType })
    const unsupported = { status: 415, message: 'Content-Type must be multipart/form-data', details: null }
    for (const type of [
      '',
      'application/json',
      'multipart/mixed; boundary=b',
      'multipart/form-data-x; boundary=b',
      ';',
    ])
      expect(await ofType(type)).toEqual(unsupported)
    const noBoundary = invalid('Content-Type must have a boundary of 1 to 70 visible characters')
    for (const parameters of [
      '',
      ';',
      '; boundary',
      '; boundary=',
      '; boundary=""',
      `; boundary=${'x'.repeat(71)}`,
      '; boundary="a "',
    ])
      expect(await ofType(`multipart/form-data${parameters}`)).toMatchObject({
        status: parameters === '; boundary' ? 415 : 422,
      })
    expect(await ofType('multipart/form-data')).toEqual(noBoundary)
    expect(
      await failureOf(title + end, { contentType: 'Multipart/Form-Data; Charset=utf-8; Boundary="b"' }).catch(
        () => 'read',
      ),
    ).toBe('read')
  })

  test('a body that ends early is 422, wherever it ends', async () => {
    const whole = toBytes(title + cat + end.trim())
    const truncated = invalid('The body ends before its last boundary')
    for (let bytes = 0; bytes < whole.length; bytes++)
      expect(await failureOf(whole.subarray(0, bytes), { chunkBytes: 50 }), `${bytes}`).toEqual(truncated)
    expect((await readBody(openBody(whole))).files).toHaveLength(1)
  })

  test('a source that fails ends every read with its error', async () => {
    const gone = new Error('The client has disconnected')
    const body = openBody(title + cat.slice(0, -3), { fails: gone })
    await body.readFields()
    const files = body[Symbol.asyncIterator]()
    const { value: first } = await files.next()
    await expect(first?.bytes()).rejects.toBe(gone)
    await expect(files.next()).rejects.toBe(gone)
    await expect(openBody(title, { fails: gone }).readFields()).rejects.toBe(gone)
  })

  test('a field behind a file is refused where it is found', async () => {
    const late = invalid('The field comes after a file: send all fields before the files', 'late')
    expect(await failureOf(title + cat + field('late', 'x') + end)).toEqual(late)
    const file = await firstFile(openBody(title + cat + field('late', 'x') + end))
    expect(await file.text()).toBe('meow')
  })
})

describe('limits', () => {
  const six = field('a', '1') + field('b', '2') + field('c', '3') + cat + cat + cat + end

  test('each has an error of its own, and is reached without one', async () => {
    expect(await failureOf(six, { maxParts: 5 })).toEqual(invalid('At most 5 parts are accepted', 'photo'))
    expect(await failureOf(six, { maxFiles: 2 })).toEqual(invalid('At most 2 files are accepted', 'photo'))
    expect(await failureOf(six, { maxFields: 2 })).toEqual(invalid('At most 2 fields are accepted', 'c'))
    expect(await failureOf(six, { maxFieldBytes: 1, maxFileBytes: 3 })).toEqual(large("file 'photo'", 3))
    expect(await failureOf(title + end, { maxFieldBytes: 5 })).toEqual(large("field 'title'", 5))
    expect(await failureOf(title + end, { maxNameBytes: 4 })).toEqual(
      invalid('The name of a part may have at most 4 bytes', 'title'),
    )
    expect(await failureOf(cat + end, { maxNameBytes: 6 })).toEqual(
      invalid('The name of a file may have at most 6 bytes', 'photo'),
    )
    const reached = { maxParts: 6, maxFiles: 3, maxFields: 3, maxFieldBytes: 1, maxFileBytes: 4, maxNameBytes: 7 }
    const { files } = await readBody(openBody(six, reached))
    expect(files).toHaveLength(3)
  })

  test('a limit counts what is decoded, and what was found before it is given first', async () => {
    const body = file('filename=x', 'Content-Transfer-Encoding: base64\n', 'bWVvdw==') + cat + end
    const open = openBody(body, { maxFileBytes: 4, maxFiles: 1 })
    await open.readFields()
    const files = open[Symbol.asyncIterator]()
    expect(await (await files.next()).value?.text()).toBe('meow')
    await expect(files.next()).rejects.toMatchObject({ httpStatus: 422 })
  })

  test('are checked at boot', () => {
    const check = (options: object) => () => toMultipartLimits('POST /photos', options, 1000)
    expect(check({ maxFiles: -1 })).toThrow(
      'POST /photos: http.files.maxFiles must be an integer of at least 0, received -1',
    )
    expect(check({ maxFileSize: 1 })).toThrow('http.files.maxFileSize is not an option')
    expect(check({})()).toEqual({
      maxParts: 100,
      maxFiles: 10,
      maxFields: 100,
      maxNameBytes: 255,
      maxFieldBytes: 65_536,
      maxFileBytes: 1000,
    })
  })

  test('the package of the parser is named when it is missing', async () => {
    const name = '@fastify/none'
    await expect(import(/* @vite-ignore */ name).catch(missingPeer(name, 'It is required'))).rejects.toMatchObject({
      code: 'missing_peer',
      message: 'It is required: run npm install @fastify/none',
    })
  })
})

describe('reading files', () => {
  const long = 'x'.repeat(5000)
  const two = title + file('filename=one', '', long) + file('filename=two', '', 'second') + end

  test('the body is read no further than a read waits for', async () => {
    let read = 0
    const body = openBody(two, {
      chunkBytes: 100,
      onRead: (piece) => {
        read = piece
      },
    })
    await body.readFields()
    const early = read
    expect(early).toBeLessThan(3)
    const files = body[Symbol.asyncIterator]()
    const { value: one } = await files.next()
    expect(read).toBe(early)
    const chunks = one?.[Symbol.asyncIterator]()
    await chunks?.next()
    await chunks?.next()
    expect(read).toBeLessThan(5)
    const { value: second } = await files.next()
    expect(read).toBeGreaterThan(50)
    expect(await second?.text()).toBe('second')
    expect(await files.next()).toEqual({ done: true, value: undefined })
    expect(await files.next()).toEqual({ done: true, value: undefined })
  })

  test('a file that is not read, or not to its end, is skipped', async () => {
    const body = openBody(two, { chunkBytes: 100 })
    await body.readFields()
    const names: (string | null)[] = []
    for await (const file of body) {
      names.push(file.filename)
      for await (const _chunk of file) break
    }
    expect(names).toEqual(['one', 'two'])
  })

  test('reads that are not awaited wait for one another', async () => {
    const body = openBody(two, { chunkBytes: 100 })
    await body.readFields()
    const read: Promise<string>[] = []
    for await (const file of body) read.push(file.text())
    expect(await Promise.all(read)).toEqual([long, 'second'])
  })

  test('bytes below a cap; the rest of a file over it is skipped', async () => {
    const body = openBody(two, { chunkBytes: 100 })
    await body.readFields()
    const files = body[Symbol.asyncIterator]()
    await expect((await files.next()).value?.bytes({ maxBytes: 4999 })).rejects.toMatchObject({ httpStatus: 413 })
    const second = (await files.next()).value
    await expect(second?.bytes({ maxBytes: -1 })).rejects.toThrow(
      'maxBytes must be an integer of at least 0, received -1',
    )
    const bytes = await openBody(two)
      .readFields()
      .then(async () => (await firstFile(openBody(two))).bytes({ maxBytes: 5000 }))
    expect(bytes).toEqual(new Uint8Array(Buffer.from(long)))
  })

  test('a second read, a late one, and a second iteration are errors that say so', async () => {
    const body = openBody(two)
    await body.readFields()
    const files = body[Symbol.asyncIterator]()
    const one = (await files.next()).value
    await one?.bytes()
    await expect(one?.text()).rejects.toThrow("The file 'f' is read already: it can be read only once")
    expect(() => one?.[Symbol.asyncIterator]()).toThrow('it can be read only once')
    const chunks = (await files.next()).value?.[Symbol.asyncIterator]()
    await files.next()
    await expect(chunks?.next()).rejects.toThrow("The file 'f' can be read only until the next file is requested")
    await expect(one?.bytes()).rejects.toThrow('only until the next file is requested')
    expect(() => body[Symbol.asyncIterator]()).toThrow('call.files can be iterated only once')
  })

  test('a temporary file has no name of the client, belongs to this user, and is removed with the call', async () => {
    const body = openBody(two, { chunkBytes: 100 })
    await body.readFields()
    const written: TemporaryFile[] = []
    for await (const file of body) written.push(await file.toTemporaryFile())
    expect(written.map(({ bytes }) => bytes)).toEqual([5000, 6])
    for (const [i, { path }] of written.entries()) {
      expect(isAbsolute(path)).toBe(true)
      expect(path).toMatch(/twinwire-upload-\w+\/\d$/)
      expect(await readFile(path, 'utf8')).toBe(i === 0 ? long : 'second')
      expect((await stat(path)).mode & 0o777).toBe(0o600)
      expect((await stat(dirname(path))).mode & 0o777).toBe(0o700)
    }
    await body.close()
    await body.close()
    for (const { path } of written) expect(existsSync(dirname(path))).toBe(false)
  })

  test('what is half written when the call ends is removed when its read has failed', async () => {
    const over = new Error('over')
    const waiting = deferred<void>()
    const gone = deferred<void>()
    async function* source(): AsyncGenerator<Uint8Array> {
      yield toBytes(title + cat.slice(0, -4))
      waiting.resolve()
      await gone.promise
      throw over
    }
    const body = openBody(source())
    const file = await firstFile(body)
    const before = readdirSync(tmpdir()).filter(isUpload)
    const failed = expect(file.toTemporaryFile()).rejects.toBe(over)
    await waiting.promise
    const own = readdirSync(tmpdir()).filter((name) => isUpload(name) && !before.includes(name))
    const closed = body.close()
    gone.resolve()
    await closed
    await failed
    expect(own.length).toBeGreaterThan(0)
    // Other tests may have some of their own.
    await expect.poll(() => own.some((name) => !existsSync(join(tmpdir(), name)))).toBe(true)
    const next = await firstFile(openBody(two))
    expect(await next.text()).toBe(long)
  })

  test('none is written once the call has ended', async () => {
    const body = openBody(two)
    const file = await firstFile(body)
    await body.close()
    await expect(file.toTemporaryFile()).rejects.toThrow('The call has ended')
  })
})
