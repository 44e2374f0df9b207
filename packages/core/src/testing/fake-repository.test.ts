import { describe, expect, it } from 'vitest'
import { ConflictError, NotFoundError, ValidationError } from '../index.ts'
import { fakeRepository } from './index.ts'

interface Author {
  readonly id: number
  readonly name: string
  readonly country: string | null
}

const rows: readonly Author[] = [
  { id: 2, name: 'Octavia', country: 'US' },
  { id: 1, name: 'Ursula', country: 'US' },
  { id: 3, name: 'Italo', country: null },
]
const create = () => fakeRepository(rows, { name: 'Author', unique: ['name'], defaults: () => ({ country: null }) })

describe('a repository without a database', () => {
  it('reads', async () => {
    const authors = create()
    expect(await authors.getById(1)).toEqual({ id: 1, name: 'Ursula', country: 'US' })
    expect((await authors.getAll()).map(({ id }) => id)).toEqual([1, 2, 3])
    expect((await authors.getAll({ country: 'US' }, { orderBy: { name: 'asc' } })).map(({ id }) => id)).toEqual([2, 1])
    expect((await authors.getAll({}, { orderBy: { country: 'desc' }, limit: 2 })).map(({ id }) => id)).toEqual([3, 2])
    expect((await authors.getAll({ country: null, name: undefined }, { limit: 1 }))[0]?.id).toBe(3)
    expect(await authors.findOne({ name: 'Nobody' })).toBeNull()
    expect([await authors.exists({ country: 'US' }), await authors.count({ country: 'US' })]).toEqual([true, 2])
  })

  it('gives pages', async () => {
    const { items, meta } = await create().getPage({ page: 2, perPage: 2 })
    expect(items).toEqual([{ id: 3, name: 'Italo', country: null }])
    expect(meta).toMatchObject({ page: 2, per_page: 2, total: 3, pages: 2, has_more: false })
    await expect(create().getPage({ page: 0, perPage: 2 })).rejects.toThrow(ValidationError)
  })

  it('writes', async () => {
    const authors = create()
    expect(await authors.create({ name: 'Stanislaw' })).toEqual({ id: 4, name: 'Stanislaw', country: null })
    expect(await authors.update(4, { country: 'PL', name: undefined })).toEqual({
      id: 4,
      name: 'Stanislaw',
      country: 'PL',
    })
    await authors.delete(4)
    expect(await authors.count()).toBe(3)
    expect(rows).toHaveLength(3)
  })

  it('fails as the real one does', async () => {
    const authors = create()
    await expect(authors.getById(7)).rejects.toThrow(new NotFoundError('Author with ID 7 not found'))
    await expect(authors.update(7, {})).rejects.toThrow(NotFoundError)
    await expect(authors.delete(7)).rejects.toThrow('Author with ID 7 not found')
    await expect(authors.create({ name: 'Ursula' })).rejects.toThrow(ConflictError)
    await expect(authors.create({ id: 1, name: 'Other' })).rejects.toThrow('The same is already there')
    await expect(authors.update(2, { name: 'Ursula' })).rejects.toMatchObject({
      details: { constraint: 'name_unique' },
    })
    expect((await authors.update(2, { name: 'Octavia' })).name).toBe('Octavia')
    await expect(authors.findOne({ name: undefined })).rejects.toThrow('A filter has no value')
    await expect(authors.getAll({}, { limit: -1 })).rejects.toThrow('Invalid limit')
  })

  it('keeps its rows to itself', async () => {
    const authors = create()
    Object.assign(await authors.getById(1), { name: 'Changed' })
    expect((await authors.getById(1)).name).toBe('Ursula')
  })

  it('takes another key', async () => {
    const books = fakeRepository([{ isbn: 'a', title: 'One' }], { key: 'isbn', name: 'Book' })
    expect(await books.getById('a')).toEqual({ isbn: 'a', title: 'One' })
    expect((await books.create({ title: 'Two' })).isbn).toMatch(/^[\da-f-]{36}$/)
    await expect(books.getById('b')).rejects.toThrow('Book with ID b not found')
  })
})

describe('what a repository of rows can do since it has filters and cursors', () => {
  const people = () =>
    fakeRepository(
      [
        { id: 1, name: 'Ursula', born: 1929, country: 'US' },
        { id: 2, name: 'Octavia', born: 1947, country: null },
        { id: 3, name: 'Stanislaw', born: 1921, country: 'PL' },
        { id: 4, name: 'ursa', born: 1929, country: null },
      ],
      { name: 'Author', unique: ['name'] },
    )
  const ids = (rows: readonly { readonly id: number }[]) => rows.map(({ id }) => id)

  it('operators, and, or', async () => {
    const authors = people()
    expect(ids(await authors.getAll({ name: { prefix: 'URS' } }))).toEqual([1, 4])
    expect(ids(await authors.getAll({ born: { gte: 1929, lt: 1947 } }))).toEqual([1, 4])
    expect(ids(await authors.getAll({ country: { ne: 'US' } }))).toEqual([2, 3, 4])
    expect(ids(await authors.getAll({ country: { isNull: false }, id: { in: [1, 2, 3] } }))).toEqual([1, 3])
    expect(
      ids(await authors.getAll({ or: [{ id: 2 }, { and: [{ born: 1929 }, { name: { contains: 'sula' } }] }] })),
    ).toEqual([1, 2])
  })

  it('orders with nulls where they are told to be, and the key going the same way', async () => {
    const authors = people()
    expect(ids(await authors.getAll({}, { orderBy: { country: 'desc nulls last' } }))).toEqual([1, 3, 4, 2])
    expect(ids(await authors.getAll({}, { orderBy: { country: 'asc nulls first' } }))).toEqual([2, 4, 3, 1])
    expect(ids(await authors.getAll({}, { orderBy: { born: 'desc' } }))).toEqual([2, 4, 1, 3])
  })

  it('walks by cursor over rows that come and go, and refuses a cursor of another query', async () => {
    const authors = people()
    const first = await authors.getPage({ cursor: '', perPage: 2, orderBy: { born: 'asc' } })
    expect([ids(first.items), first.meta]).toEqual([
      [3, 1],
      { page: 1, per_page: 2, total: 0, pages: 0, next_cursor: expect.any(String), has_more: true },
    ])
    await authors.delete(1)
    await authors.create({ name: 'early', born: 1900, country: null })
    const cursor = first.meta.next_cursor ?? ''
    await expect(authors.getPage({ cursor, perPage: 2 })).rejects.toThrow(ValidationError)
    const second = await authors.getPage({ cursor, perPage: 2, orderBy: { born: 'asc' } })
    expect([ids(second.items), second.meta.next_cursor]).toEqual([[4, 2], null])
  })

  it('many at once: all or none, and in the order that was asked for', async () => {
    const authors = people()
    await expect(authors.createMany([{ name: 'new', born: 1 }, { name: 'Ursula' }])).rejects.toThrow(ConflictError)
    expect(await authors.count()).toBe(4)
    expect(ids(await authors.createMany([{ name: 'a' }, { name: 'b' }]))).toEqual([5, 6])
    expect(ids(await authors.getMany([6, 9, 1]))).toEqual([6, 1])
    await expect(authors.deleteWhere({})).rejects.toThrow(ValidationError)
    expect(await authors.deleteWhere({ id: { gt: 4 } })).toBe(2)
  })
})
