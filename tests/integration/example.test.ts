// The reference application end to end, as users run it: a process of its own, on PGlite and on PostgreSQL, over both wires.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Example, type ExampleTokens, runExample, startExample } from '../support/example.ts'
import { type HttpAnswer, httpCall } from '../support/http-call.ts'
import { PackageClient } from '../support/package-client.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

const PkgID = {
  GET_AUTHORS: 1,
  GET_PAGINATED_AUTHORS: 2,
  CREATE_AUTHOR: 3,
  UPDATE_AUTHOR: 4,
  DELETE_AUTHOR: 5,
  AUTHOR_CREATED: 100,
}
const RSPCode = { OK: 0, ERROR: 1, INVALID_DATA: 2, PERMISSION_DENIED: 3 }
/** A test that starts the example itself: an embedded database takes its time on a busy machine. */
const startTimeoutMs = 90_000
const zeroUuid = '00000000-0000-0000-0000-000000000000'
const seeds = [
  'Chinua Achebe',
  'Jorge Luis Borges',
  'Octavia E. Butler',
  'Umberto Eco',
  'Franz Kafka',
  'Ursula K. Le Guin',
  'Stanisław Lem',
  'Toni Morrison',
  'Haruki Murakami',
  'Virginia Woolf',
].map((name, index) => ({ id: index + 1, name }))

function tokensOf({ tokens, output }: Example): ExampleTokens {
  if (tokens === null) throw new Error(`The example has printed no tokens:\n${output()}`)
  return tokens
}

interface TestDatabase {
  readonly url: string
  remove(): Promise<void>
}

const databases: [name: string, available: boolean, create: () => Promise<TestDatabase>][] = [
  [
    'PGlite',
    true,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'twinwire-example-'))
      return { url: `pglite://${join(folder, 'data')}`, remove: () => rm(folder, { recursive: true, force: true }) }
    },
  ],
  [
    'PostgreSQL',
    await hasPostgres(),
    async () => {
      const { url, stop } = await startPostgres()
      return { url, remove: stop }
    },
  ],
]

for (const [name, available, createDatabase] of databases) {
  describe.skipIf(!available)(`the example on ${name}`, () => {
    let database: TestDatabase
    let example: Example
    let socket: PackageClient

    /** As the administrator by default. */
    const http = (path: string, method?: string, body?: object, token = tokensOf(example).admin): Promise<HttpAnswer> =>
      httpCall(`${example.url}${path}`, method, body, token)
    /** A second client, who knows of the first only what the server tells. */
    const connect = async (): Promise<PackageClient> => {
      const other = await PackageClient.connect(example.socketUrl, tokensOf(example).admin)
      onTestFinished(() => other.close())
      return other
    }
    /** The author that a reply of either wire carries. */
    const idOf = ({ body, data }: { body?: unknown; data?: unknown }): number => {
      const author = body ?? data
      if (typeof author === 'object' && author !== null && 'id' in author && typeof author.id === 'number')
        return author.id
      throw new Error(`No author: ${JSON.stringify(author)}`)
    }

    beforeAll(async () => {
      database = await createDatabase()
      example = await startExample({ databaseUrl: database.url })
      socket = await PackageClient.connect(example.socketUrl, tokensOf(example).admin)
    })
    afterAll(async () => {
      await example?.stop('SIGKILL')
      await database?.remove()
    })

    test('an empty table gets its first authors, which both wires serve', async () => {
      expect(await http('/authors')).toMatchObject({ status: 200, body: seeds })
      expect(await socket.call(PkgID.GET_AUTHORS)).toMatchObject({ status_code: RSPCode.OK, meta: null, data: seeds })
    })

    test('it says where it listens, what to try, and loudly that its issuer is one for development', () => {
      const output = example.output()
      const header = `-H 'authorization: Bearer ${tokensOf(example).reader}'`
      expect(output).toContain(`curl -i ${header} '${example.url}/authors?search=le'`)
      expect(output).toContain(`npx --yes wscat -c ${example.socketUrl} ${header} -x '{"pkg_id":1,`)
      expect(output).toMatch(/^DEVELOPMENT ISSUER, NEVER FOR PRODUCTION: http:\/\/127\.0\.0\.1:\d+\/realms\/authors$/m)
    })

    describe('access', () => {
      const writes: [method: string, path: string, body: object | undefined, pkgId: number, data: object][] = [
        ['POST', '/authors', { name: 'x' }, PkgID.CREATE_AUTHOR, { name: 'x' }],
        ['PUT', '/authors/1', { name: 'x' }, PkgID.UPDATE_AUTHOR, { id: 1, name: 'x' }],
        ['DELETE', '/authors/1', undefined, PkgID.DELETE_AUTHOR, { id: 1 }],
      ]

      test('without a token: 401 on HTTP, and a WebSocket of which the first frame must be one', async () => {
        for (const [method, path, body] of [['GET', '/authors'], ['GET', '/authors/1'], ...writes] as const) {
          const answer = await httpCall(`${example.url}${path}`, method, body)
          expect(answer).toMatchObject({ status: 401, body: { error: { code: 'authentication_failed' } } })
          expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="/)
        }
        const stranger = await PackageClient.connect(example.socketUrl)
        stranger.call(PkgID.GET_AUTHORS).catch(() => {})
        expect(await stranger.closed).toBe(4001)
        await expect(PackageClient.connect(example.socketUrl, 'x.y.z')).rejects.toThrow('401')
      })

      test('a reader reads on both wires, and writes on neither [defect 83]', async () => {
        const { reader } = tokensOf(example)
        const readers = await PackageClient.connect(example.socketUrl)
        onTestFinished(() => readers.close())
        readers.authenticate(reader)
        await readers.controlled(1)
        expect(readers.control).toEqual([
          {
            type: 'auth_ok',
            identity: decodeJwt(reader).sub,
            expires_at: expect.anything(),
            max_message_bytes: 256 * 1024,
          },
        ])
        expect(await http('/authors/1', 'GET', undefined, reader)).toMatchObject({ status: 200 })
        expect(await readers.call(PkgID.GET_AUTHORS, { id: 1 })).toMatchObject({ status_code: RSPCode.OK })
        for (const [method, path, body, pkgId, data] of writes) {
          const overHttp = await http(path, method, body, reader)
          const overWebSocket = await readers.call(pkgId, data)
          expect(overHttp).toMatchObject({ status: 403, body: { error: { code: 'permission_denied' } } })
          expect(overWebSocket).toMatchObject({
            status_code: RSPCode.PERMISSION_DENIED,
            data: {
              code: 'permission_denied',
              msg: `No permission for pkg_id ${pkgId}`,
              details: { missing_roles: [expect.stringMatching(/^\w+-author$/)] },
            },
          })
        }
      })
    })

    test('GET /health', async () => {
      expect(await http('/health')).toMatchObject({
        status: 200,
        body: { status: 'healthy', database: 'healthy', websocket: { status: 'healthy', active_connections: 1 } },
      })
    })

    describe('reading', () => {
      const special = ['100% cotton', '100 cotton', 'snake_case', 'snakeXcase', 'back\\slash', "Flann O'Brien"]
      beforeAll(async () => {
        for (const author of special) expect((await http('/authors', 'POST', { name: author })).status).toBe(201)
      })

      const named = (...names: string[]): object => names.map((author) => expect.objectContaining({ name: author }))
      test.each<[what: string, query: string, data: object, found: object]>([
        ['by id', 'id=3', { id: 3 }, named('Octavia E. Butler')],
        ['by name', 'name=Franz+Kafka', { name: 'Franz Kafka' }, named('Franz Kafka')],
        ['by both, which contradict each other', 'id=3&name=Franz+Kafka', { id: 3, name: 'Franz Kafka' }, []],
        ['by part of a name, which does not match', 'name=Kafka', { name: 'Kafka' }, []],
        ['in any case', 'search=MURAK', { search_term: 'MURAK' }, named('Haruki Murakami')],
        ['beyond ASCII', 'search=S%C5%82aw', { search_term: 'sław' }, named('Stanisław Lem')],
        ['with an apostrophe', "search=o'b", { search_term: "o'b" }, named("Flann O'Brien")],
        ['with %', 'search=0%25', { search_term: '0%' }, named('100% cotton')],
        ['with _', 'search=e_c', { search_term: 'e_c' }, named('snake_case')],
        ['with a backslash', 'search=k%5Cs', { search_term: 'k\\s' }, named('back\\slash')],
        ['with a backslash before %', 'search=%5C%25', { search_term: '\\%' }, []],
        [
          'by a search, which wins over id and name',
          'search=kafka&id=1&name=x',
          { search_term: 'kafka', id: 1, name: 'x' },
          named('Franz Kafka'),
        ],
      ])('both wires list authors %s [defect 48] [defect 52]', async (_what, query, data, found) => {
        const overHttp = await http(`/authors?${query}`)
        const overWebSocket = await socket.call(PkgID.GET_AUTHORS, data)
        expect(overHttp).toMatchObject({ status: 200, body: found })
        expect(overWebSocket).toMatchObject({ status_code: RSPCode.OK, meta: null })
        expect(overWebSocket.data).toEqual(overHttp.body)
      })

      const total = seeds.length + special.length
      const meta = { page: 1, per_page: 20, total, pages: 1, next_cursor: null, has_more: false }
      test.each<[what: string, query: string, data: object, items: object, meta: object]>([
        ['the first, of 20', '', {}, expect.arrayContaining(seeds), meta],
        [
          'of 3, the second',
          '?page=2&per_page=3',
          { page: 2, per_page: 3 },
          seeds.slice(3, 6),
          { ...meta, page: 2, per_page: 3, pages: Math.ceil(total / 3), has_more: true },
        ],
        ['beyond the last', '?page=99', { page: 99 }, [], { ...meta, page: 99 }],
        ['of 1000', '?per_page=1000', { per_page: 1000 }, expect.any(Array), { ...meta, per_page: 1000 }],
        ['of 1000 at most', '?per_page=5000', { per_page: 5000 }, expect.any(Array), { ...meta, per_page: 1000 }],
        [
          'the last, by its size',
          '?per_page=5000&cursor=',
          { per_page: 5000, cursor: '' },
          expect.any(Array),
          { per_page: 1000 },
        ],
        ['of one id', '?id=2', { filters: { id: 2 } }, seeds.slice(1, 2), { ...meta, total: 1 }],
        // Exact, as in the plain list: two meanings of one word were a defect of the reference system.
        ['of one name', '?name=Umberto+Eco', { filters: { name: 'Umberto Eco' } }, seeds.slice(3, 4), { total: 1 }],
        ['of part of a name', '?name=ECO', { filters: { name: 'ECO' } }, seeds.slice(3, 4), { total: 1 }],
        [
          'of a name that is a pattern',
          '?name=U%25E',
          { filters: { name: 'U%E' } },
          [],
          { total: 0, pages: 0, has_more: false },
        ],
      ])('both wires give the same page: %s [defect 52]', async (_what, query, data, items, expected) => {
        const overHttp = await http(`/authors/paginated${query}`)
        const overWebSocket = await socket.call(PkgID.GET_PAGINATED_AUTHORS, data)
        expect(overHttp).toMatchObject({ status: 200, body: { items, meta: expected } })
        expect(overWebSocket.status_code).toBe(RSPCode.OK)
        expect({ items: overWebSocket.data, meta: overWebSocket.meta }).toEqual(overHttp.body)
      })

      test('a key that a route does not know is ignored over HTTP, and refused in a package', async () => {
        const [author] = seeds.slice(2, 3)
        expect((await http('/authors?id=3&status=active')).body).toEqual([author])
        expect(await http('/authors/3?status=active')).toMatchObject({ status: 200, body: author })
        expect(await http('/authors/paginated?id=3&status=active')).toMatchObject({
          status: 200,
          body: { items: [author] },
        })
        const made = await http('/authors?status=active', 'POST', { name: 'A key too many', age: 3 })
        expect(made).toMatchObject({ status: 201, body: { name: 'A key too many' } })
        expect(made.body).not.toHaveProperty('age')
        expect((await http(`/authors/${idOf(made)}?status=active`, 'DELETE')).status).toBe(204)
        for (const [pkgId, data] of [
          [PkgID.GET_AUTHORS, { id: 3, status: 'active' }],
          [PkgID.GET_PAGINATED_AUTHORS, { filters: { id: 3, status: 'active' } }],
          [PkgID.CREATE_AUTHOR, { name: 'x', age: 3 }],
        ] as const) {
          expect(await socket.call(pkgId, data)).toMatchObject({ status_code: RSPCode.INVALID_DATA })
        }
      })

      test('a list that is not cut says nothing of it', async () => {
        expect((await http('/authors')).headers.get('x-has-more')).toBeNull()
      })

      test('one author, on HTTP', async () => {
        expect(await http('/authors/6')).toMatchObject({ status: 200, body: { id: 6, name: 'Ursula K. Le Guin' } })
      })
    })

    describe('writing', () => {
      test('over HTTP', async () => {
        const created = await http('/authors', 'POST', { name: 'Made over HTTP' })
        const id = idOf(created)
        expect(created).toMatchObject({ status: 201, body: { id, name: 'Made over HTTP' } })
        const renamed = { id, name: 'Renamed over HTTP' }
        expect(await http(`/authors/${id}`, 'PUT', { name: renamed.name })).toMatchObject({
          status: 200,
          body: renamed,
        })
        expect((await socket.call(PkgID.GET_AUTHORS, { id })).data).toEqual([renamed])
        expect(await http(`/authors/${id}`, 'DELETE')).toMatchObject({ status: 204, body: null })
        expect((await http(`/authors/${id}`)).status).toBe(404)
      })

      test('over WebSocket', async () => {
        const created = await socket.call(PkgID.CREATE_AUTHOR, { name: 'Made over WebSocket' })
        const id = idOf(created)
        expect(created).toMatchObject({
          status_code: RSPCode.OK,
          meta: null,
          data: { id, name: 'Made over WebSocket' },
        })
        const renamed = { id, name: 'Renamed over WebSocket' }
        expect((await socket.call(PkgID.UPDATE_AUTHOR, renamed)).data).toEqual(renamed)
        expect((await http(`/authors/${id}`)).body).toEqual(renamed)
        expect(await socket.call(PkgID.DELETE_AUTHOR, { id })).toMatchObject({ status_code: RSPCode.OK, data: null })
        expect((await http(`/authors/${id}`)).status).toBe(404)
      })

      test('a name is kept as it is: spaces around it, case, 255 characters', async () => {
        for (const author of [' Ursula K. Le Guin ', 'ursula k. le guin', '𝔘'.repeat(127), '漢'.repeat(255)]) {
          expect((await http('/authors', 'POST', { name: author })).body).toMatchObject({ name: author })
        }
      })

      test('an author may be given the name that it has', async () => {
        const author = { id: 5, name: 'Franz Kafka' }
        expect(await socket.call(PkgID.UPDATE_AUTHOR, author)).toMatchObject({ status_code: RSPCode.OK, data: author })
      })
    })

    describe('the same input causes the same error on both wires', () => {
      const invalid = { code: 'validation_error', httpStatus: 422, status: RSPCode.INVALID_DATA }
      const conflict = {
        code: 'conflict',
        httpStatus: 409,
        status: RSPCode.INVALID_DATA,
        msg: "Author with name 'Umberto Eco' already exists",
      }
      const notFound = {
        code: 'not_found',
        httpStatus: 404,
        status: RSPCode.ERROR,
        msg: 'Author with ID 987654 not found',
      }
      const eco = { name: 'Umberto Eco' }
      test.each<
        [
          what: string,
          request: [path: string, method?: string, body?: object],
          frame: [pkgId: number, data: object],
          expected: { code: string; httpStatus: number; status: number; msg?: string },
        ]
      >([
        ['create: no name', ['/authors', 'POST', {}], [PkgID.CREATE_AUTHOR, {}], invalid],
        ['create: an empty name', ['/authors', 'POST', { name: '' }], [PkgID.CREATE_AUTHOR, { name: '' }], invalid],
        [
          'create: a name of 256 characters',
          ['/authors', 'POST', { name: 'x'.repeat(256) }],
          [PkgID.CREATE_AUTHOR, { name: 'x'.repeat(256) }],
          invalid,
        ],
        [
          'create: a name that no text of PostgreSQL can hold',
          ['/authors', 'POST', { name: 'a\u0000b' }],
          [PkgID.CREATE_AUTHOR, { name: 'a\u0000b' }],
          invalid,
        ],
        ['create: a name that is taken', ['/authors', 'POST', eco], [PkgID.CREATE_AUTHOR, eco], conflict],
        [
          'update: a name that is taken',
          ['/authors/1', 'PUT', eco],
          [PkgID.UPDATE_AUTHOR, { id: 1, ...eco }],
          conflict,
        ],
        [
          'update: unknown id',
          ['/authors/987654', 'PUT', eco],
          [PkgID.UPDATE_AUTHOR, { id: 987654, ...eco }],
          notFound,
        ],
        ['update: no name', ['/authors/1', 'PUT', {}], [PkgID.UPDATE_AUTHOR, { id: 1 }], invalid],
        ['delete: unknown id', ['/authors/987654', 'DELETE'], [PkgID.DELETE_AUTHOR, { id: 987654 }], notFound],
        ['delete: an id of 0', ['/authors/0', 'DELETE'], [PkgID.DELETE_AUTHOR, { id: 0 }], invalid],
        [
          'delete: an id beyond int32',
          ['/authors/2147483648', 'DELETE'],
          [PkgID.DELETE_AUTHOR, { id: 2147483648 }],
          invalid,
        ],
        ['list: an id that is not a number', ['/authors?id=one'], [PkgID.GET_AUTHORS, { id: 'one' }], invalid],
        ['page: number 0', ['/authors/paginated?page=0'], [PkgID.GET_PAGINATED_AUTHORS, { page: 0 }], invalid],
        [
          'page: an id that is not a number',
          ['/authors/paginated?id=one'],
          [PkgID.GET_PAGINATED_AUTHORS, { filters: { id: 'one' } }],
          invalid,
        ],
      ])('%s [defect 45]', async (_what, request, frame, { code, httpStatus, status, msg = expect.any(String) }) => {
        const overHttp = await http(...request)
        const overWebSocket = await socket.call(...frame)
        expect(overHttp).toMatchObject({ status: httpStatus, body: { error: { code, msg } } })
        expect(overWebSocket).toMatchObject({ pkg_id: frame[0], status_code: status, meta: null })
        expect({ error: overWebSocket.data }).toEqual(overHttp.body)
      })

      test('what is nowhere', async () => {
        expect(await socket.call(999)).toMatchObject({
          status_code: RSPCode.ERROR,
          data: { code: 'not_found', msg: 'No handler found for pkg_id 999' },
        })
        // An event is not a route.
        expect(await socket.call(PkgID.AUTHOR_CREATED)).toMatchObject({ data: { code: 'not_found' } })
        expect(await http('/nowhere')).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } })
        const patched = await http('/authors/1', 'PATCH', {})
        expect(patched).toMatchObject({ status: 405, body: { error: { code: 'method_not_allowed' } } })
        expect(patched.headers.get('allow')).toContain('PUT')
        expect(await http('/web')).toMatchObject({ status: 426, body: { error: { code: 'upgrade_required' } } })
      })
    })

    describe('AUTHOR_CREATED', () => {
      const eventOf = (author: unknown): object => ({ pkg_id: PkgID.AUTHOR_CREATED, req_id: zeroUuid, data: author })

      test('reaches every socket, whichever wire the author came over; nothing else does', async () => {
        const [one, two] = [await connect(), await connect()]
        const overHttp = await http('/authors', 'POST', { name: 'Clarice Lispector' })
        expect(overHttp.status).toBe(201)
        // Refused, and therefore no event.
        expect((await http('/authors', 'POST', { name: 'Clarice Lispector' })).status).toBe(409)
        expect((await one.call(PkgID.CREATE_AUTHOR, { name: 'Umberto Eco' })).status_code).toBe(RSPCode.INVALID_DATA)
        const overWebSocket = await one.call(PkgID.CREATE_AUTHOR, { name: 'Natalia Ginzburg' })
        expect(overWebSocket.status_code).toBe(RSPCode.OK)
        const expected = [eventOf(overHttp.body), eventOf(overWebSocket.data)]
        for (const client of [one, two]) {
          await client.received(2)
          expect(client.events).toEqual(expected)
        }
      })

      test('is sent after the commit: a client that receives it can read the author', async () => {
        const other = await connect()
        for (let i = 0; i < 10; i++) {
          const creating = http('/authors', 'POST', { name: `Committed ${i}` })
          await other.received(i + 1)
          const id = idOf(other.events[i] ?? {})
          expect((await other.call(PkgID.GET_AUTHORS, { id })).data).toEqual([{ id, name: `Committed ${i}` }])
          await creating
        }
      })
    })

    test('of 50 creates of one name at once, over both wires, one wins [defect 46]', async () => {
      const listener = await connect()
      const author = 'Fernando Pessoa'
      // So that the pool has its connections: with one of them the creates would only wait for each other.
      await Promise.all(Array.from({ length: 50 }, () => http('/authors')))
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          if (i % 2 === 0) return (await http('/authors', 'POST', { name: author })).status
          const { status_code, data } = await socket.call(PkgID.CREATE_AUTHOR, { name: author })
          return status_code === RSPCode.OK ? 201 : data
        }),
      )
      const isConflict = (answer: unknown): boolean =>
        answer === 409 ||
        (typeof answer === 'object' && answer !== null && 'code' in answer && answer.code === 'conflict')
      expect(answers.filter((answer) => answer === 201)).toHaveLength(1)
      expect(answers.filter(isConflict)).toHaveLength(49)
      expect((await http(`/authors?name=${encodeURIComponent(author)}`)).body).toHaveLength(1)
      // One row, one event: the next one that comes is the next author's.
      await http('/authors', 'POST', { name: 'Wisława Szymborska' })
      await listener.received(2)
      expect(listener.events).toMatchObject([{ data: { name: author } }, { data: { name: 'Wisława Szymborska' } }])
    })

    test(
      'SIGTERM ends it with 0 and open sockets with 1012; started again it has its rows and seeds none',
      async () => {
        await http('/authors/1', 'DELETE')
        const before = await http('/authors')
        const other = await PackageClient.connect(example.socketUrl, tokensOf(example).admin)

        expect(await example.stop()).toEqual({ code: 0, signal: null })
        expect(await Promise.all([socket.closed, other.closed])).toEqual([1012, 1012])

        example = await startExample({ databaseUrl: database.url })
        expect(await http('/authors')).toMatchObject({ status: 200, body: before.body })
        expect((await http('/authors', 'POST', { name: 'The one after' })).status).toBe(201)
      },
      startTimeoutMs,
    )
  })
}

test(
  'a list that is cut says so: in a header over HTTP, in meta over WebSocket [defect 49]',
  async () => {
    const example = await startExample({
      databaseUrl: 'pglite://memory',
      env: { MAX_PAGE_SIZE: '4', DEFAULT_PAGE_SIZE: '4' },
    })
    onTestFinished(async () => void (await example.stop()))
    const { admin } = tokensOf(example)
    const socket = await PackageClient.connect(example.socketUrl, admin)
    onTestFinished(() => socket.close())

    const cut = await httpCall(`${example.url}/authors`, 'GET', undefined, admin)
    expect([cut.body, cut.headers.get('x-has-more')]).toEqual([seeds.slice(0, 4), 'true'])
    const meta = { page: 1, per_page: 4, total: 0, pages: 0, next_cursor: null, has_more: true }
    expect(await socket.call(PkgID.GET_AUTHORS)).toMatchObject({ data: seeds.slice(0, 4), meta })

    const whole = await httpCall(`${example.url}/authors?search=kafka`, 'GET', undefined, admin)
    expect([whole.body, whole.headers.get('x-has-more')]).toEqual([seeds.slice(4, 5), null])
    expect(await socket.call(PkgID.GET_AUTHORS, { search_term: 'kafka' })).toMatchObject({ meta: null })
  },
  startTimeoutMs,
)

describe('a start that cannot be', { timeout: startTimeoutMs }, () => {
  test('on a taken port: 1, and a sentence', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0

    const { code, signal, stderr } = await runExample({ databaseUrl: 'pglite://memory', port })
    expect({ code, signal }).toEqual({ code: 1, signal: null })
    expect(stderr).toMatch(new RegExp(`^.*port ${port} of 127\\.0\\.0\\.1 is already in use.*\n$`, 'i'))
  })

  test('with wrong settings: 1, and all of them by name, without the password', async () => {
    const { code, stdout, stderr } = await runExample({
      databaseUrl: 'mysql://me:hunter2@db/authors',
      env: { PORT: '65536', HOST: 'not a host' },
    })
    expect(code).toBe(1)
    expect(stderr).toBe(
      [
        'Invalid settings:',
        '  PORT must be an integer from 0 to 65535',
        '  HOST must be a host name or an IP address',
        '  DATABASE_URL must start with postgres:// or pglite://',
        '',
      ].join('\n'),
    )
    expect(stdout).toBe('')
  })

  test('with a database that does not exist: 1, and a message without the password', async () => {
    const { code, stdout, stderr } = await runExample({ databaseUrl: 'postgres://me:hunter2@127.0.0.1:1/authors' })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^The database at .*127\.0\.0\.1:1.* is not reachable.*\n$/)
    expect(stdout + stderr).not.toContain('hunter2')
  })

  test('in production without a Keycloak: 1, and a sentence for each variable', async () => {
    const { code, stdout, stderr } = await runExample({
      databaseUrl: 'postgres://me@127.0.0.1:1/authors',
      env: { ENV: 'production', ALLOWED_HOSTS: '["authors.example"]' },
    })
    expect(code).toBe(1)
    expect(stdout).toBe('')
    for (const name of ['KEYCLOAK_BASE_URL', 'KEYCLOAK_REALM', 'KEYCLOAK_CLIENT_ID'])
      expect(stderr).toMatch(new RegExp(`^  ${name} `, 'm'))
  })

  test('with the port of its issuer taken: 1, and a sentence', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0

    const { code, stderr } = await runExample({
      databaseUrl: 'pglite://memory',
      env: { DEVELOPMENT_ISSUER_PORT: String(port) },
    })
    expect(code).toBe(1)
    expect(stderr).toBe(
      `Port ${port} of 127.0.0.1 is in use: set DEVELOPMENT_ISSUER_PORT to another port, or to 0 for a free one\n`,
    )
  })
})
