// Third-party clients: curl, and wscat from npm, used as by a reader who has just started the example.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Example, startExample } from '../support/example.ts'
import { serviceMissing } from '../support/service.ts'

const wscat = findWscat() ?? serviceMissing('wscat', 'install the packages of the workspace')
const hasCurl = spawnSync('curl', ['--version']).status === 0 || serviceMissing('curl', 'put curl on the PATH')

// `--json` is younger than the curl of some machines.
const json = ['-H', 'content-type: application/json']
/** Of the administrator. */
const token = (): readonly string[] => ['-H', `authorization: Bearer ${example.tokens?.admin}`]

let example: Example
beforeAll(async () => {
  if (wscat || hasCurl) example = await startExample({ databaseUrl: 'pglite://memory' })
})
afterAll(async () => {
  await example?.stop('SIGKILL')
})

describe.skipIf(!hasCurl)('curl', () => {
  test('the printed command', async () => {
    const { head, body } = toResponse(await shell(printed('curl ')))
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(head).toMatch(/^content-type: application\/json\r$/im)
    expect(head).toMatch(/^x-content-type-options: nosniff\r$/im)
    expect(head).toMatch(/^x-correlation-id: \S+\r$/im)
    expect(names(JSON.parse(body))).toEqual(['Octavia E. Butler', 'Ursula K. Le Guin', 'Stanisław Lem'])
  })

  test('creates with JSON, with a form, and in chunks', async () => {
    for (const [name, ...args] of [
      ['Italo Calvino', ...json, '-d', '{"name":"Italo Calvino"}'],
      ['Gabriel García Márquez', '--data-urlencode', 'name=Gabriel García Márquez'],
      ['Yukio Mishima', ...json, '-d', '{"name":"Yukio Mishima"}', '-H', 'transfer-encoding: chunked'],
    ] as const) {
      const { head, body } = toResponse(await curl(...args, `${example.url}/authors`))
      expect(head).toMatch(/^HTTP\/1\.1 201 Created\r\n/)
      expect(JSON.parse(body)).toEqual({ id: expect.any(Number), name })
    }
  })

  test('HEAD has the head of GET and no body', async () => {
    const { head, body } = toResponse(await curl('--head', `${example.url}/authors`))
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(body).toBe('')
  })

  test('one connection serves several requests', async () => {
    const url = `${example.url}/authors/1`
    const out = await run('curl', [
      '-s',
      ...token(),
      '-w',
      '%{num_connects} ',
      '-o',
      '/dev/null',
      url,
      '-o',
      '/dev/null',
      url,
    ])
    expect(out).toBe('1 0 ')
  })

  test('a body over the limit is 413, whether its length is told or not [defect 73]', async () => {
    const body = `{"name":"${'x'.repeat(2 * 1024 * 1024)}"}`
    for (const extra of [[], ['-H', 'transfer-encoding: chunked']]) {
      // From stdin: an argument cannot be that long.
      const args = [
        '-s',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        ...json,
        ...token(),
        '-d',
        '@-',
        ...extra,
        `${example.url}/authors`,
      ]
      expect(await run('curl', args, body)).toBe('413')
    }
  })

  test('an upgrade that curl makes by hand is answered with 101', async () => {
    // curl waits for frames after the 101, so it is told to stop.
    const key = 'dGhlIHNhbXBsZSBub25jZQ=='
    const headers = [
      'connection: Upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      `sec-websocket-key: ${key}`,
    ]
    const { head } = toResponse(
      await curl('--max-time', '3', ...headers.flatMap((each) => ['-H', each]), `${example.url}/web`),
    )
    expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    // The accept value of the example in RFC 6455, section 1.3.
    expect(head).toMatch(/^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r$/im)
  })
})

describe.skipIf(!wscat)('wscat', () => {
  test('the printed command', async () => {
    const command = printed('npx --yes wscat')
    const local = command.replace('npx --yes wscat', `"${process.execPath}" "${wscat}" -w 5`)
    // The first line is `auth_ok`: the token was in the upgrade.
    const [greeting, reply] = (await shell(local)).trim().split('\n').map(toJson)
    expect(greeting).toMatchObject({ type: 'auth_ok' })
    expect(reply).toMatchObject({ pkg_id: 1, status_code: 0, meta: null })
    expect(names(reply)).toEqual(['Octavia E. Butler', 'Ursula K. Le Guin', 'Stanisław Lem'])
  })

  test('creates, and receives the event; a frame that is not JSON is answered and the connection stays open [defect 34]', async () => {
    const frame = { pkg_id: 3, req_id: '7d3f6d0e-6d0c-4a39-9c55-6d3b7a1c0f11', data: { name: 'Bohumil Hrabal' } }
    const out = await runWscat('-x', 'hello', '-x', JSON.stringify(frame))
    const received = out.trim().split('\n').map(toJson)
    const author = { id: expect.any(Number), name: 'Bohumil Hrabal' }
    expect(received).toHaveLength(4)
    expect(received).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'auth_ok' }),
        expect.objectContaining({ status_code: 2, data: expect.objectContaining({ code: 'malformed_request' }) }),
        { pkg_id: 3, req_id: frame.req_id, status_code: 0, meta: null, data: author },
        { pkg_id: 100, req_id: '00000000-0000-0000-0000-000000000000', data: author },
      ]),
    )
  })

  test('another path is not a WebSocket', async () => {
    await expect(run(process.execPath, [String(wscat), '-c', `${example.socketUrl}x`])).rejects.toThrow('404')
  })
})

function findWscat(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve('wscat/package.json')
    return join(dirname(manifest), 'bin', 'wscat')
  } catch {
    return null
  }
}

/** The line of the welcome that begins so: what a user copies. */
function printed(beginning: string): string {
  const line = example
    .output()
    .split('\n')
    .find((each) => each.trim().startsWith(beginning))
  if (line === undefined) throw new Error(`Nothing printed begins with ${beginning}`)
  return line.trim()
}

function curl(...args: string[]): Promise<string> {
  return run('curl', ['-s', '-i', ...token(), ...args])
}

function runWscat(...args: string[]): Promise<string> {
  return run(process.execPath, [String(wscat), '--no-color', '-w', '5', '-c', example.socketUrl, ...token(), ...args])
}

function shell(command: string): Promise<string> {
  return run('sh', ['-c', command])
}

/** Resolves with what it printed; rejects when it ended with anything but 0 (or curl's 28: told to stop). */
async function run(command: string, args: readonly string[], input?: string): Promise<string> {
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  // Otherwise left open, as a terminal is: wscat ends with its input. A client that has its answer may not read all of it.
  child.stdin?.on('error', () => {})
  if (input !== undefined) child.stdin?.end(input)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0 && code !== 28) throw new Error(`${command} ended with ${String(code)}: ${stdout}${stderr}`)
  return stdout
}

function toResponse(text: string): { readonly head: string; readonly body: string } {
  // What a server says before its answer proper (100 Continue) is not part of it.
  const own = text.replace(/^(HTTP\/1\.1 100 [\s\S]*?\r\n\r\n)+/, '')
  const end = own.indexOf('\r\n\r\n')
  return { head: own.slice(0, end + 2), body: own.slice(end + 4) }
}

function toJson(text: string): unknown {
  return JSON.parse(text)
}

/** Of a list of authors, or of a reply that carries one. */
function names(value: unknown): unknown[] {
  const list = typeof value === 'object' && value !== null && 'data' in value ? value.data : value
  if (!Array.isArray(list)) throw new Error(`No list: ${JSON.stringify(value)}`)
  return list.map((author: { name?: unknown }) => author.name)
}
