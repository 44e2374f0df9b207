/**
 * Types without a telling name that shrink by a third or more. The list is short because `mime-db`, which knows all 2,500 types, is 200 KB that every
 * process would load; a test holds it against `mime-db`.
 */
const named: ReadonlySet<string> = new Set([
  'application/ecmascript',
  'application/graphql',
  'application/javascript',
  'application/json-seq',
  'application/jsonl',
  'application/postscript',
  'application/rtf',
  'application/toml',
  'application/vnd.ms-fontobject',
  'application/wasm',
  'application/x-javascript',
  'application/x-ndjson',
  'application/x-ns-proxy-autoconfig',
  'application/x-sh',
  'application/x-www-form-urlencoded',
  'application/x-yaml',
  'application/xml-dtd',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/vnd.microsoft.icon',
  'image/x-icon',
  'image/x-ms-bmp',
  'message/rfc822',
  'model/gltf-binary',
])

const byName = /^text\/|[+/](?:json|text|xml|yaml)$/

/**
 * Does a body of this content type become much smaller when it is compressed? Text, JSON, XML (SVG too), scripts, WebAssembly and plain
 * fonts do. Never `text/event-stream`: a client that waits for events would cost a window of memory. Not `application/octet-stream`, which may be
 * anything.
 *
 * @example
 * isCompressible('application/problem+json; charset=utf-8') // true
 * isCompressible('image/png') // false
 */
export function isCompressible(contentType: string): boolean {
  const semicolon = contentType.indexOf(';')
  const type = (semicolon === -1 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase()
  return (byName.test(type) && type !== 'text/event-stream') || named.has(type)
}
