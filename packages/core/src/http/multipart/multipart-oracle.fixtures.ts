import fc from 'fast-check'

/** Not a word that a content has by chance; pieces of it are among the contents. */
export const boundary = '----oracle7XzQ'

const anyOf = (...values: string[]): fc.Arbitrary<string> => fc.constantFrom(...values)
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

/** Bytes as text, each byte one character. */
const bytes = fc.uint8Array({ maxLength: 40 }).map(latin1)
const piece = fc.oneof(
  { weight: 12, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 6, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }).map(utf8) },
  { weight: 1, arbitrary: bytes },
  { weight: 10, arbitrary: anyOf('\r', '\n', '\r\n', '-', '--', '\r\n--', '\r\n-', '\0', '=', '=\r\n', 'Zm9v', '') },
  {
    weight: 1,
    arbitrary: anyOf(`--${boundary.slice(0, -1)}`, `\r\n--${boundary.slice(0, 5)}`, boundary, `--${boundary}`),
  },
  { weight: 1, arbitrary: fc.nat({ max: 3000 }).map((length) => 'long '.repeat(length)) },
)
const content = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''))
const plainContent = fc.string({ unit: 'binary', maxLength: 30 }).map(utf8)

/** As browsers write the names of fields and files. */
const escaped = (text: string): string =>
  utf8(text).replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22')
const name = fc.oneof(
  { weight: 40, arbitrary: anyOf('a', 'b', 'tags[]', 'user[name]', utf8('Füße'), '', 'x y') },
  { weight: 10, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map(escaped) },
  {
    weight: 1,
    arbitrary: anyOf('__proto__', 'constructor', 'prototype', 'toString', 'a\\', 'a\\"b', '%41', '%0a', 'a%zz'),
  },
  { weight: 1, arbitrary: bytes.map((text) => text.replaceAll(/[\r\n"]/g, '')) },
)
const filename = fc.oneof(
  { weight: 6, arbitrary: anyOf('cat.png', 'a b.txt', '', utf8('ü.txt')) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map(escaped) },
  { weight: 2, arbitrary: anyOf('../x', 'C:\\x\\y.txt', '..', 'a%00b', 'a:b', 'a\\"b', '.x', 'x\\', '%22') },
  { weight: 1, arbitrary: bytes.map((text) => text.replaceAll(/[\r\n"]/g, '')) },
)

const quoted = (text: string): string => `"${text}"`
const toDisposition = (form: string, field: string, file: string | null): string => {
  const more = file === null ? '' : `; filename=${quoted(file)}`
  switch (form) {
    case 'swapped':
      return file === null
        ? `form-data; name=${quoted(field)}`
        : `form-data; filename=${quoted(file)}; name=${quoted(field)}`
    case 'tight':
      return `form-data;name=${quoted(field)}${more.replace(' ', '')}`
    case 'wide':
      return `Form-Data ;  Name = ${quoted(field)}${more} ;`
    case 'bare':
      return `form-data; name=${field.replaceAll(/[^a-z]/gi, '') || 'x'}${more}`
    case 'extended':
      return `form-data; name=${quoted(field)}${more}; filename*=UTF-8''%E2%82%AC.txt`
    case 'twice':
      return `form-data; name=${quoted(field)}; name=${quoted(field)}${more}`
    case 'attachment':
      return `attachment; name=${quoted(field)}${more}`
    case 'nameless':
      return `form-data${more}`
    default:
      return `form-data; name=${quoted(field)}${more}`
  }
}

const part = fc
  .record({
    form: fc.oneof(
      { weight: 60, arbitrary: fc.constant('usual') },
      { weight: 5, arbitrary: anyOf('swapped', 'tight', 'wide', 'bare', 'extended') },
      { weight: 1, arbitrary: anyOf('twice', 'attachment', 'nameless') },
    ),
    name,
    filename: fc.option(filename),
    content: fc.oneof(content, plainContent),
    type: fc.oneof(
      { weight: 16, arbitrary: fc.constant(null) },
      {
        weight: 12,
        arbitrary: anyOf('text/plain', 'image/png', 'Text/HTML; Charset=UTF-8', 'application/octet-stream'),
      },
      {
        weight: 1,
        arbitrary: anyOf('text/plain; charset=latin1', 'text/plain; charset=klingon', '', 'nonsense', 'ü/ü', ';'),
      },
    ),
    encoding: fc.oneof(
      { weight: 40, arbitrary: fc.constant(null) },
      { weight: 3, arbitrary: anyOf('binary', '8bit', '7bit', 'base64', 'quoted-printable', 'BASE64', 'x-uu') },
    ),
    more: fc.oneof(
      { weight: 40, arbitrary: fc.constant('') },
      { weight: 5, arbitrary: anyOf('X-More: y\r\n', 'Content-Length: 3\r\n', 'x:\r\n') },
      {
        weight: 1,
        arbitrary: anyOf(
          'broken\r\n',
          ': y\r\n',
          ' folded\r\n',
          'a b: c\r\n',
          'X: a\nb\r\n',
          'Content-Disposition: form-data; name="z"\r\n',
        ),
      },
    ),
    isFirst: fc.boolean(),
  })
  .map(({ form, name: field, filename: file, content: body, type, encoding, more, isFirst }) => {
    const disposition = `Content-Disposition: ${toDisposition(form, field, file)}\r\n`
    const others =
      (type === null ? '' : `Content-Type: ${utf8(type)}\r\n`) +
      (encoding === null ? '' : `Content-Transfer-Encoding: ${encoding}\r\n`) +
      more
    return { isFile: file !== null, text: `${isFirst ? disposition + others : others + disposition}\r\n${body}` }
  })

const mutation = fc.oneof(
  { weight: 12, arbitrary: fc.constant(null) },
  {
    weight: 4,
    arbitrary: fc.record({
      at: fc.noBias(fc.nat({ max: 1_000_000 })),
      length: fc.nat({ max: 6 }),
      insert: fc.oneof(fc.constant(''), bytes, anyOf('\r\n', '\n', '--', `\r\n--${boundary}`, `\r\n--${boundary}--`)),
    }),
  },
)

/** A body that a client could have sent, a broken one, or one in an unusual form; each byte is one character. */
export const bodies: fc.Arbitrary<Buffer> = fc
  .record({
    parts: fc.array(part, { maxLength: 6 }),
    sorted: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
    preamble: fc.oneof(
      { weight: 12, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: anyOf('\r\n', 'preamble\r\n', 'no line break') },
    ),
    padding: fc.oneof({ weight: 14, arbitrary: fc.constant('') }, { weight: 1, arbitrary: anyOf(' ', 'x') }),
    end: fc.oneof(
      { weight: 10, arbitrary: anyOf('--\r\n', '--') },
      { weight: 1, arbitrary: anyOf('', '\r\n', '--epilogue', '--\r\nepilogue', '--\r\n\r\n', '-', '-x') },
    ),
    mutation,
  })
  .map(({ parts, sorted, preamble, padding, end, mutation: change }) => {
    const order = sorted ? parts.toSorted((a, b) => Number(a.isFile) - Number(b.isFile)) : parts
    const text = `${preamble}${order.map((each) => `--${boundary}${padding}\r\n${each.text}\r\n`).join('')}--${boundary}${end}`
    if (change === null) return Buffer.from(text, 'latin1')
    const at = change.at % text.length
    return Buffer.from(text.slice(0, at) + change.insert + text.slice(at + change.length), 'latin1')
  })
