// Pure declarations: importing this file reads no environment and opens nothing.
import { event, pageOf, reply, route } from '@twinwire/core'
import { once, transaction, withDb } from '@twinwire/core/database'
import { audited } from '@twinwire/plugin-audit'
import { limit } from '@twinwire/plugin-ratelimit'
import * as v from 'valibot'
import { requireRoles } from '../roles.ts'
import { AuthorRepository } from './author.repository.ts'
import {
  AuthorChangeSchema,
  AuthorIdInput,
  AuthorSchema,
  CreateAuthorInput,
  GetAuthorsInput,
  GetPaginatedAuthorsInput,
  UpdateAuthorInput,
} from './author.schemas.ts'
import { authorsTopic } from './author.topics.ts'
import { CreateAuthorCommand } from './create-author.command.ts'
import { DeleteAuthorCommand } from './delete-author.command.ts'
import { GetAuthorCommand } from './get-author.command.ts'
import { GetAuthorsCommand } from './get-authors.command.ts'
import { GetPaginatedAuthorsCommand } from './get-paginated-authors.command.ts'
import { UpdateAuthorCommand } from './update-author.command.ts'

export const authorCreated = event({ summary: 'An author was created, on either wire', data: AuthorSchema })
export const authorChanged = event({ summary: 'An author was created, renamed or deleted', data: AuthorChangeSchema })

export const getAuthors = route({
  summary: 'List authors, at most 1000',
  http: {
    route: 'GET /authors',
    // `search_term` of a package is `search` in a query.
    input: ({ search, ...query }) => ({ search_term: search, ...query }),
  },
  use: [requireRoles('get-authors'), withDb()],
  input: GetAuthorsInput,
  output: v.array(AuthorSchema),
  // A truncated list is marked: in `meta` of the package, and over HTTP, where the body is only the list, in a header.
  handler: async (input, { db }) => {
    const { items, meta } = await new GetAuthorsCommand(new AuthorRepository(db)).execute(input)
    if (!meta.has_more) return [...items]
    return reply([...items], { meta: { ...meta, next_cursor: null }, headers: { 'x-has-more': 'true' } })
  },
})

export const getPaginatedAuthors = route({
  summary: 'List authors page by page',
  http: {
    route: 'GET /authors/paginated',
    // `id` is not a key of the input itself, so its type is declared here.
    params: { id: 'int' },
    input: ({ id, name, ...query }) => ({ filters: { id, name }, ...query }),
  },
  use: [requireRoles('get-authors'), withDb()],
  input: GetPaginatedAuthorsInput,
  output: pageOf(AuthorSchema),
  command: ({ db }) => new GetPaginatedAuthorsCommand(new AuthorRepository(db)),
})

export const getAuthor = route({
  summary: 'Get one author',
  http: 'GET /authors/:id',
  use: [requireRoles('get-authors'), withDb()],
  input: AuthorIdInput,
  output: AuthorSchema,
  command: ({ db }) => new GetAuthorCommand(new AuthorRepository(db)),
})

export const createAuthor = route({
  summary: 'Create an author',
  http: { route: 'POST /authors', status: 201 },
  // A client that got no answer repeats the call: within a day there is one author, and the same reply.
  use: [
    requireRoles('create-author'),
    limit('30/m'),
    audited(),
    once({ retention: 86_400_000 }),
    transaction({ outbox: true }),
  ],
  input: CreateAuthorInput,
  output: AuthorSchema,
  // A command does not know connections, so events are published here. They are stored with the author, and sent after the commit.
  handler: async (input, call) => {
    const author = await new CreateAuthorCommand(new AuthorRepository(call.db)).execute(input)
    call.broadcast(authorCreated, author)
    call.publish(authorsTopic, authorChanged, { change: 'created', ...author })
    return author
  },
})

export const updateAuthor = route({
  summary: 'Rename an author',
  http: 'PUT /authors/:id',
  use: [requireRoles('update-author'), audited(), transaction({ outbox: true })],
  input: UpdateAuthorInput,
  output: AuthorSchema,
  handler: async (input, call) => {
    const author = await new UpdateAuthorCommand(new AuthorRepository(call.db)).execute(input)
    call.publish(authorsTopic, authorChanged, { change: 'updated', ...author })
    return author
  },
})

export const deleteAuthor = route({
  summary: 'Delete an author',
  http: { route: 'DELETE /authors/:id', status: 204 },
  use: [requireRoles('delete-author'), audited(), transaction({ outbox: true })],
  input: AuthorIdInput,
  handler: async (input, call) => {
    await new DeleteAuthorCommand(new AuthorRepository(call.db)).execute(input)
    call.publish(authorsTopic, authorChanged, { change: 'deleted', id: input.id, name: null })
  },
})
