// Fastify as its documentation shows it: JSON schemas, which it compiles into a validator and a serializer.
import Ajv from 'ajv'
import Fastify from 'fastify'
import { serve } from '../lib/serve.mjs'
import { findAuthor, getAuthor } from '../servers/contract.mjs'

const strict = new Ajv()
const app = Fastify()
const author = {
  type: 'object',
  properties: { id: { type: 'number' }, name: { type: 'string' } },
  required: ['id', 'name'],
}

app.get(
  '/authors/:id',
  {
    schema: {
      params: { type: 'object', properties: { id: { type: 'integer', minimum: 1 } }, required: ['id'] },
      response: { 200: author },
    },
  },
  (request, reply) => {
    reply.send(findAuthor(request.params))
  },
)
app.post(
  '/authors',
  {
    // Its own would convert a page that is a string.
    validatorCompiler: ({ schema }) => strict.compile(schema),
    schema: {
      body: {
        type: 'object',
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 100 },
          page: { type: 'integer', minimum: 1 },
        },
        required: ['name', 'page'],
      },
      response: { 200: author },
    },
  },
  (request, reply) => {
    reply.send(getAuthor(request.body))
  },
)

await serve(async () => {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app.server.address().port
})
