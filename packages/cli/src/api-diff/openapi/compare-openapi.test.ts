import { expect, it } from 'vitest'
import { compareOpenApi } from './compare-openapi.ts'

const text = { type: 'string' }
const error = (code: string, status: number, retry = false) => ({
  code,
  status_code: 1,
  http_status: status,
  message: code,
  retry,
})
const answer = (schema: object, more: object = {}) => ({
  description: '',
  content: { 'application/json': { schema } },
  ...more,
})

const operation = {
  operationId: 'Create',
  'x-route': 'CREATE',
  'x-reply': 'value',
  'x-deadline-ms': 5000,
  'x-ordered': true,
  'x-steps': [{ kind: 'guard', name: 'roles(editor)', demands: { roles: ['editor'] } }],
  'x-rate-limit': [{ points: 10, periodMs: 1000, burst: 0, cost: 1, name: null, key: 'identity', wire: null }],
  security: [{ bearer: ['editor'] }],
  parameters: [
    { name: 'id', in: 'path', required: true, schema: text },
    { name: 'page', in: 'query', schema: { type: 'integer', default: 1 } },
  ],
  requestBody: {
    content: {
      'application/json': { schema: { type: 'object', properties: { name: text } } },
      'application/x-www-form-urlencoded': {},
    },
    'x-max-body-bytes': 1000,
    'x-body-timeout-ms': 500,
    'x-files': { maxFiles: 3 },
  },
  responses: {
    '200': answer({ type: 'object', properties: { id: text }, required: ['id'] }, { headers: { 'X-A': {} } }),
    '202': answer({}),
    '409': answer({}, { 'x-error-codes': [error('conflict', 409), error('busy', 409, true)] }),
  },
}

type Operation = Readonly<Record<string, unknown>>
const documentOf = (paths: object, more: object = {}) => ({
  openapi: '3.1.0',
  paths,
  servers: [{ url: 'https://a.example' }],
  ...more,
})
const withOperation = (changed: Operation) => documentOf({ '/authors/{id}': { post: { ...operation, ...changed } } })
const withBody = (changed: object) => withOperation({ requestBody: { ...operation.requestBody, ...changed } })
const withAnswers = (changed: object) => withOperation({ responses: { ...operation.responses, ...changed } })
const without = (status: keyof typeof operation.responses) => {
  const { [status]: _, ...responses } = operation.responses
  return withOperation({ responses })
}
const { requestBody: _body, ...withoutBody } = operation
const limited = (changed: object) =>
  withOperation({ 'x-rate-limit': [{ ...operation['x-rate-limit'][0], ...changed }] })
const onceWith = (once: object) => withOperation({ 'x-once': once })
const old = withOperation({})

const ids = (before: object, after: object): readonly string[] =>
  compareOpenApi({ ...before }, { ...after }).map(({ rule, at }) => `${rule} ${at}`.trim())

/** The new document, what it is reported as, and what the way back is. */
const rows: readonly (readonly [string, object, readonly string[], readonly string[]])[] = [
  ['nothing', old, [], []],
  ['another order', withOperation({ parameters: operation.parameters.toReversed() }), [], []],
  [
    'a name of a path parameter',
    documentOf({
      '/authors/{author}': {
        post: {
          ...operation,
          parameters: [{ name: 'author', in: 'path', required: true, schema: text }, operation.parameters[1]],
        },
      },
    }),
    [],
    [],
  ],
  ['no route', documentOf({}), ['route-removed'], ['route-added']],
  [
    'another path',
    documentOf({ '/writers/{id}': { post: operation } }),
    ['route-removed', 'route-added'],
    ['route-removed', 'route-added'],
  ],
  ['operationId', withOperation({ operationId: 'Make' }), ['operation-id'], ['operation-id']],
  ['deprecated', withOperation({ deprecated: true }), ['deprecated'], ['deprecated']],
  ['a role more', withOperation({ security: [{ bearer: ['editor', 'admin'] }] }), ['access'], ['access-relaxed']],
  [
    'another role as well',
    withOperation({ security: [{ bearer: ['editor'] }, { bearer: ['admin'] }] }),
    ['access-relaxed'],
    ['access'],
  ],
  ['public', withOperation({ security: [] }), ['access-relaxed'], ['access']],
  [
    'a guard',
    withOperation({ 'x-steps': [...operation['x-steps'], { kind: 'guard', name: 'office hours', demands: {} }] }),
    ['step-added office hours'],
    [],
  ],
  [
    'a demand of another kind',
    withOperation({
      'x-steps': [...operation['x-steps'], { kind: 'guard', name: 'may', demands: { permission: ['edit'] } }],
    }),
    ['step-added may'],
    [],
  ],
  [
    'a call that runs once',
    onceWith({ retention_ms: 1000, required: false }),
    ['once-relaxed x-once'],
    ['once x-once'],
  ],
  [
    'a call that runs once, with a key',
    onceWith({ retention_ms: 1000, required: true }),
    ['once-relaxed x-once', 'once x-once.required'],
    ['once x-once'],
  ],
  ['a name of a limit', limited({ name: 'writes' }), [], []],
  ['a lower rate', limited({ points: 5 }), ['rate-limit per identity'], ['rate-limit-relaxed per identity']],
  [
    'fewer at once',
    limited({ points: 5, periodMs: 500 }),
    ['rate-limit per identity'],
    ['rate-limit-relaxed per identity'],
  ],
  [
    'a limit of the other wire',
    limited({ points: 5, wire: 'ws' }),
    ['rate-limit-relaxed per identity'],
    ['rate-limit per identity'],
  ],
  ['no limit', withOperation({ 'x-rate-limit': [] }), ['rate-limit-relaxed per identity'], ['rate-limit per identity']],
  [
    'a shorter deadline',
    withOperation({ 'x-deadline-ms': 4000 }),
    ['deadline x-deadline-ms'],
    ['deadline-relaxed x-deadline-ms'],
  ],
  [
    'no deadline',
    withOperation({ 'x-deadline-ms': 0 }),
    ['deadline-relaxed x-deadline-ms'],
    ['deadline x-deadline-ms'],
  ],
  [
    'a deadline that is not written',
    withOperation({ 'x-deadline-ms': undefined }),
    ['deadline-relaxed x-deadline-ms'],
    ['deadline x-deadline-ms'],
  ],
  ['no order', withOperation({ 'x-ordered': false }), ['ordered'], []],
  [
    'a default',
    withOperation({
      parameters: [operation.parameters[0], { name: 'page', in: 'query', schema: { type: 'integer', default: 2 } }],
    }),
    ['input-default query.page'],
    ['input-default query.page'],
  ],
  [
    'a required parameter',
    withOperation({ parameters: [operation.parameters[0], { ...operation.parameters[1], required: true }] }),
    ['input-required query.page'],
    ['input-relaxed query.page'],
  ],
  [
    'a wildcard no longer',
    withOperation({
      parameters: [{ ...operation.parameters[0], 'x-note': 'The rest of the path' }, operation.parameters[1]],
    }),
    ['input-check path.id'],
    ['input-relaxed path.id'],
  ],
  [
    'a note on what is not described',
    withOperation({ 'x-notes': ['The query is not described'] }),
    ['input-notes'],
    [],
  ],
  ['a required body', withBody({ required: true }), ['body-required body'], []],
  ['no body', documentOf({ '/authors/{id}': { post: withoutBody } }), ['body-removed body'], ['input-relaxed body']],
  [
    'no forms',
    withBody({ content: { 'application/json': operation.requestBody.content['application/json'] } }),
    ['input-media-type body application/x-www-form-urlencoded'],
    ['input-relaxed body application/x-www-form-urlencoded'],
  ],
  [
    'a smaller body',
    withBody({ 'x-max-body-bytes': 500 }),
    ['limit x-max-body-bytes'],
    ['limit-relaxed x-max-body-bytes'],
  ],
  [
    'less time for the body',
    withBody({ 'x-body-timeout-ms': 400 }),
    ['deadline x-body-timeout-ms'],
    ['deadline-relaxed x-body-timeout-ms'],
  ],
  ['fewer files', withBody({ 'x-files': { maxFiles: 2 } }), ['limit maxFiles'], ['limit-relaxed maxFiles']],
  ['a new status', withAnswers({ '204': { description: '' } }), ['status-added 204'], ['status-dropped 204']],
  ['a status less', without('202'), ['status-dropped 202'], ['status-added 202']],
  [
    'other statuses',
    withOperation({ responses: { '201': answer({}) } }),
    ['status-added 201', 'status-removed 200', 'status-removed 202', 'error-removed conflict', 'error-removed busy'],
    ['status-added 200', 'status-added 202', 'status-removed 201', 'error-added conflict', 'error-added busy'],
  ],
  [
    'an error status without codes',
    withAnswers({ '418': { description: '' } }),
    ['error-added 418'],
    ['error-removed 418'],
  ],
  [
    'an error code',
    withAnswers({ '402': answer({}, { 'x-error-codes': [error('declined', 402)] }) }),
    ['error-added declined'],
    ['error-removed declined'],
  ],
  [
    'an error with another status',
    withAnswers({ '409': answer({}, { 'x-error-codes': [error('conflict', 410), error('busy', 409, true)] }) }),
    ['error-status conflict'],
    ['error-status conflict'],
  ],
  [
    'an error that asks to try again',
    withAnswers({ '409': answer({}, { 'x-error-codes': [error('conflict', 409, true), error('busy', 409, true)] }) }),
    ['error-retry conflict'],
    ['error-retry conflict'],
  ],
  ['a stream', withOperation({ 'x-reply': 'stream' }), ['reply-kind reply'], ['reply-kind reply']],
  [
    'another type of answer',
    withAnswers({ '202': { description: '', content: { 'text/html': {} } } }),
    ['output-media-type reply application/json'],
    ['output-media-type reply text/html'],
  ],
  [
    'another answer',
    withAnswers({
      '200': answer(
        { type: 'object', properties: { id: { type: 'number' } }, required: ['id'] },
        { headers: { 'x-a': {} } },
      ),
    }),
    ['output-type reply.id'],
    ['output-type reply.id'],
  ],
  [
    'a header less',
    withAnswers({ '200': answer(operation.responses['200'].content['application/json'].schema) }),
    ['output-key-removed headers.x-a'],
    ['output-key-added headers.x-a'],
  ],
  [
    'another type of a header',
    withAnswers({ '200': { ...operation.responses['200'], headers: { 'x-a': { schema: { type: 'integer' } } } } }),
    ['output-narrowed headers.x-a'],
    ['output-type headers.x-a'],
  ],
  [
    'the charset of an answer',
    withAnswers({ '202': { description: '', content: { 'application/json; charset=utf-8': { schema: {} } } } }),
    [],
    [],
  ],
  ['a server less', { ...old, servers: [] }, ['server-removed https://a.example'], []],
  [
    'another method',
    documentOf({
      '/authors/{id}': { post: operation, 'x-additional-operations': { 'PURGE /authors/{id}': operation } },
    }),
    ['route-added'],
    ['route-removed'],
  ],
]

it.each(rows)('%s', (_name, changed, forth, back) => {
  expect(ids(old, changed)).toEqual(forth)
  expect(ids(changed, old).filter((id) => !/^(?:input-key|body-required)/.test(id))).toEqual(back)
})

it('compares how lists and objects are written into parameters', () => {
  const of = (more: object, schema: object = { type: 'array', items: text }) =>
    withOperation({ parameters: [operation.parameters[0], { name: 'tags', in: 'query', schema, ...more }] })
  expect(ids(of({}), of({ style: 'form', explode: true }))).toEqual([])
  expect(ids(of({}), of({ explode: false }))).toEqual(['input-style query.tags'])
  expect(ids(of({ style: 'spaceDelimited' }), of({ style: 'pipeDelimited' }))).toEqual(['input-style query.tags'])
  expect(ids(of({}, text), of({ explode: false }, text))).toEqual([])
})

it('compares what credentials are, not what they are called', () => {
  const of = (name: string, scheme: object) => ({
    ...withOperation({ security: [{ [name]: ['editor'] }] }),
    components: { securitySchemes: { [name]: scheme } },
  })
  const cookie = (name: string) => ({ type: 'apiKey', in: 'cookie', name })
  expect(ids(of('own', cookie('sid')), of('own', cookie('sid2')))).toEqual(['access'])
  expect(ids(of('own', { type: 'http', scheme: 'Bearer' }), of('own', cookie('sid')))).toEqual(['access'])
  expect(ids(of('own', cookie('sid')), of('other', cookie('sid')))).toEqual([])
})

it.each([
  ['a key that is required', { required: true }, ['once x-once.required'], ['once-relaxed x-once.required']],
  ['a shorter retention', { retention_ms: 500 }, ['once x-once.retention_ms'], ['once-relaxed x-once.retention_ms']],
] as const)('calls that run once: %s', (_name, changed, forth, back) => {
  const once = { retention_ms: 1000, required: false }
  const [before, after] = [onceWith(once), onceWith({ ...once, ...changed })]
  expect(ids(before, after)).toEqual(forth)
  expect(ids(after, before)).toEqual(back)
})

it('compares limits with their like, whatever their order', () => {
  const [limit] = operation['x-rate-limit']
  const other = { ...limit, points: 100, periodMs: 60_000 }
  const tighter = { ...other, points: 50 }
  const of = (...limits: readonly object[]) => withOperation({ 'x-rate-limit': limits })
  expect(ids(of(limit ?? {}, other), of(other, limit ?? {}))).toEqual([])
  expect(ids(of(limit ?? {}, other), of(tighter, limit ?? {}))).toEqual(['rate-limit per identity 2'])
})

it('names where a route is now', () => {
  const [removed] = compareOpenApi({ ...old }, documentOf({ '/writers/{id}': { post: operation } }))
  expect(removed?.message).toBe('was removed: the route `CREATE` is now `POST /writers/{id}`')
})

it('reads parameters, bodies and answers from components, whatever they are called', () => {
  const parts = (name: string) => ({
    ...documentOf({
      '/authors/{id}': {
        parameters: [{ $ref: `#/components/parameters/${name}` }],
        post: {
          ...operation,
          parameters: [operation.parameters[1]],
          requestBody: { $ref: `#/components/requestBodies/${name}` },
          responses: { ...operation.responses, '409': { $ref: `#/components/responses/${name}` } },
        },
      },
    }),
    components: {
      parameters: { [name]: operation.parameters[0] },
      requestBodies: { [name]: operation.requestBody },
      responses: { [name]: operation.responses['409'] },
    },
  })
  expect(ids(old, parts('A'))).toEqual([])
  expect(ids(parts('A'), parts('B'))).toEqual([])
})
