import { readFile, stat } from 'node:fs/promises'
import { DocumentError } from './document-error.ts'
import { isNode, type Node } from './json.ts'

/** More than any description of an API has. */
const maxBytes = 64 * 1024 * 1024
const maxDepth = 200
const timeoutMs = 30_000

export interface ReadOptions {
  /** Sent with requests: `authorization: Bearer …`. */
  readonly headers: Headers
  readonly stdin: AsyncIterable<Uint8Array | string>
}

/** Reads a file, `-` for the standard input, or an address of http or https. */
export async function readDocument(source: string, options: ReadOptions): Promise<Node> {
  const name = source === '-' ? 'The standard input' : source
  const text = await readText(source, name, options)
  return parse(text.replace(/^\uFEFF/, ''), name)
}

async function readText(source: string, name: string, { headers, stdin }: ReadOptions): Promise<string> {
  if (source === '-') return collect(stdin, name)
  return /^https?:\/\//i.test(source) ? download(source, headers) : readFrom(source, name)
}

async function readFrom(path: string, name: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size > maxBytes) throw new DocumentError(tooLarge(name))
    return decode(await readFile(path), name)
  } catch (error) {
    if (error instanceof DocumentError) throw error
    throw new DocumentError(`${name} cannot be read: ${reasonOf(error)}`)
  }
}

async function download(url: string, headers: Headers): Promise<string> {
  try {
    const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
    const location = response.headers.get('location')
    if (location !== null) throw new DocumentError(`${url} redirects to ${location}: give that address`)
    if (!response.ok || response.body === null)
      throw new DocumentError(
        `${url} answers with status ${response.status}${response.status === 401 || response.status === 403 ? ': give --header, such as "authorization: Bearer …"' : ''}`,
      )
    return await collect(response.body, url)
  } catch (error) {
    if (error instanceof DocumentError) throw error
    throw new DocumentError(`${url} cannot be fetched: ${reasonOf(error)}`)
  }
}

async function collect(chunks: AsyncIterable<Uint8Array | string>, name: string): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    bytes += part.byteLength
    if (bytes > maxBytes) throw new DocumentError(tooLarge(name))
    parts.push(part)
  }
  return decode(Buffer.concat(parts), name)
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new DocumentError(`${name} is not UTF-8`)
  }
}

function parse(text: string, name: string): Node {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const isYaml = /^\s*(?:---|#|openapi\s*:|asyncapi\s*:)/.test(text)
    throw new DocumentError(`${name} is not JSON: ${isYaml ? 'it looks like YAML, convert it first' : reasonOf(error)}`)
  }
  if (!isNode(value)) throw new DocumentError(`${name} is not an object`)
  if (isDeeper(value)) throw new DocumentError(`${name} is nested deeper than ${maxDepth} levels`)
  return value
}

function isDeeper(document: Node): boolean {
  let level: readonly unknown[] = [document]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return true
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []))
  }
  return false
}

function tooLarge(name: string): string {
  return `${name} is larger than ${maxBytes / 1024 / 1024} MiB`
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message
}
