import { defineErrors, reply, route } from '@twinwire/core'
import { withDb } from '@twinwire/core/database'
import * as v from 'valibot'
import { ItemRepository } from '../items/item.repository.ts'
import { ItemIdInput } from '../items/item.schemas.ts'
import { requireRoles } from '../roles.ts'
import { PhotoRepository } from './photo.repository.ts'

const photoErrors = defineErrors('photo', {
  missing: { httpStatus: 422, message: 'Send one file' },
  not_png: { httpStatus: 415, message: 'The file is not a PNG' },
})

/** The first bytes of every PNG. What a client says about its file proves nothing. */
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

export const addPhoto = route({
  http: {
    route: 'POST /items/:id/photo',
    body: 'multipart',
    maxBodyBytes: 3 * 2 ** 20,
    files: { maxFiles: 1, maxFileBytes: 2 * 2 ** 20 },
    status: 201,
  },
  use: [requireRoles('edit-list'), withDb()],
  input: ItemIdInput,
  output: v.object({ id: v.number(), bytes: v.number() }),
  errors: [photoErrors.missing, photoErrors.not_png],
  handler: async ({ id }, call) => {
    await new ItemRepository(call.db).getById(id)
    for await (const file of call.files) {
      const png = Buffer.from(await file.bytes())
      if (!png.subarray(0, signature.length).equals(signature)) throw photoErrors.not_png()
      await new PhotoRepository(call.db).upsert({ itemId: id, png })
      return { id, bytes: png.length }
    }
    throw photoErrors.missing()
  },
})

export const getPhoto = route({
  http: 'GET /items/:id/photo',
  use: [requireRoles('read-list'), withDb()],
  input: ItemIdInput,
  handler: async ({ id }, { db }) => {
    const { png } = await new PhotoRepository(db).getById(id)
    return reply.bytes(png, { headers: { 'content-type': 'image/png' } })
  },
})
