import { bigint, boolean, date, integer, jsonb, numeric, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import type { TestRunner } from '../../../testing/test-runner.ts'
import type { DatabaseApi } from '../../database.ts'
import { BaseRepository } from '../../repository.ts'

const kinds = pgTable('kinds', {
  id: bigint({ mode: 'bigint' }).primaryKey().generatedByDefaultAsIdentity(),
  tags: text().array(),
  grid: integer().array().array(),
  at: timestamp({ withTimezone: true }),
  local: timestamp(),
  day: date(),
  price: numeric(),
  flag: boolean(),
  data: jsonb().$type<unknown>(),
})

/** Values of each type, stored and read by a driver. */
export function valuesSuite({ describe, it, expect }: TestRunner, open: () => DatabaseApi): void {
  describe('values', () => {
    it('values of every type are read as they were written, and are found by equality', async () => {
      const repository = new BaseRepository(open().db, kinds)
      const row = {
        id: 2n ** 62n,
        tags: ['a', 'b"c', '{d,e}', 'NULL'],
        grid: [
          [1, 2],
          [3, 4],
        ],
        at: new Date('2024-02-29T12:34:56.789Z'),
        local: new Date('2024-02-29T12:34:56.789Z'),
        day: '2024-02-29',
        price: '12345678901234567890.123',
        flag: false,
        data: { list: [1, null, 'x'], text: '"' },
      }
      expect(await repository.create(row)).toEqual(row)
      expect(await repository.getById(row.id)).toEqual(row)
      for (const name of Object.keys(row) as (keyof typeof row)[]) {
        expect([name, await repository.count({ [name]: row[name] })]).toEqual([name, 1])
      }
      await repository.delete(row.id)
      const empty = await repository.create({})
      expect(await repository.findOne({ at: null, tags: null, data: null })).toEqual(empty)
    })
  })
}
