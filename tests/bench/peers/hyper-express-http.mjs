// hyper-express, with the same validator.
import * as v from 'valibot'
import { serve } from '../lib/serve.mjs'
import { findAuthor, getAuthor, Input, maxBodyBytes, Path } from '../servers/contract.mjs'
import { listen, loadHyperExpress } from './uws.mjs'

const HyperExpress = await loadHyperExpress()
const server = new HyperExpress.Server({ max_body_length: maxBodyBytes })

const fail = (response, status, code) => response.status(status).json({ error: { code } })

server.get('/authors/:id', (request, response) => {
  const input = v.safeParse(Path, { id: Number(request.path_parameters.id) })
  if (!input.success) return fail(response, 422, 'validation_error')
  response.json(findAuthor(input.output))
})
server.post('/authors', async (request, response) => {
  if (!request.headers['content-type']?.startsWith('application/json')) {
    return fail(response, 415, 'unsupported_media_type')
  }
  let body
  try {
    // Its `json()` makes an empty object of what is not JSON.
    body = JSON.parse(await request.text())
  } catch {
    return fail(response, 400, 'malformed_request')
  }
  const input = v.safeParse(Input, body)
  if (!input.success) return fail(response, 422, 'validation_error')
  response.json(getAuthor(input.output))
})
server.set_not_found_handler((_request, response) => fail(response, 404, 'not_found'))
server.set_error_handler((_request, response, error) => {
  console.error(error)
  fail(response, 500, 'internal_error')
})

await serve(() => listen(server))
