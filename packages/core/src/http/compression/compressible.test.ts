import mimeTypes from 'mime-db'
import { expect, it } from 'vitest'
import { isCompressible } from './compressible.ts'

it.each([
  'application/json',
  'application/problem+json',
  'APPLICATION/JSON; charset=utf-8',
  ' text/html ; charset=utf-8',
  'text/plain',
  'text/css',
  'text/x-anything',
  'text/javascript',
  'application/javascript',
  'application/xml',
  'application/atom+xml',
  'image/svg+xml',
  'application/wasm',
  'application/x-ndjson',
  'application/yaml',
  'font/ttf',
])('%s is compressed', (type) => {
  expect(isCompressible(type)).toBe(true)
})

it.each([
  '',
  ';',
  'json',
  'text',
  'text/event-stream',
  'Text/Event-Stream; charset=utf-8',
  'application/octet-stream',
  'application/gzip',
  'application/zip',
  'application/pdf',
  'application/jsonp+zip',
  'application/x-json-not',
  'image/png',
  'image/svg',
  'video/mp4',
  'font/woff2',
  'multipart/byteranges; boundary=text/html',
])('%j is not compressed', (type) => {
  expect(isCompressible(type)).toBe(false)
})

/** Types that `mime-db` has as compressible and that are sent as they are: they may hold anything, or servers rarely have them. */
const sentAsTheyAre = [
  /^application\/octet-stream$/,
  /^application\/x-virtualbox-/,
  /^application\/(x-)?tar$/,
  /^application\/(vnd\.)?dart$/,
  /^application\/(x-httpd-php|vnd\.ms-opentype)$/,
  /^image\/vnd\.(adobe\.photoshop|ms-dds)$/,
  /^x-shader\//,
]

it('agrees with mime-db on every type that it describes', () => {
  const differences = Object.entries(mimeTypes)
    .filter(([type, { compressible }]) => compressible !== undefined && compressible !== isCompressible(type))
    .map(([type]) => type)
  expect(differences.filter((type) => !sentAsTheyAre.some((known) => known.test(type)))).toEqual([])
  for (const known of sentAsTheyAre) expect(differences.some((type) => known.test(type))).toBe(true)
})
