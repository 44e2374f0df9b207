import { resolve } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'

// What an editor shows for a method of a repository is documentation: one signature in few short lines, and not the type of the table.

const sample = `
import { integer, pgTable, serial, text, timestamp } from 'drizzle-orm/pg-core'
import { BaseRepository } from './repository.ts'
import type { TableOf } from './table.ts'
const authors = pgTable('authors', {
  id: serial().primaryKey(), name: text().notNull(), country: text(), born: timestamp(), rank: integer().notNull().default(1),
})
interface Authors extends TableOf<typeof authors> {}
class AuthorRepository extends BaseRepository<Authors> {}
declare const authorRepository: AuthorRepository
`
const row = '{ id: number; name: string; country: string | null; born: Date | null; rank: number; }'
const insert =
  '{ name: string; id?: number | undefined; country?: string | null | undefined; born?: Date | null | undefined; rank?: number | undefined; }'

const shown: Readonly<Record<string, string>> = {
  getById: `getById(id: number): Promise<${row}>`,
  getMany: `getMany(ids: readonly number[]): Promise<${row}[]>`,
  getAll: `getAll(filters?: Filters<Authors>, options?: ListOptions<Authors>): Promise<${row}[]>`,
  getPage: `getPage(request: PageRequest<Authors>): Promise<Page<${row}>>`,
  findOne: `findOne(filters: Filters<Authors>, options?: WhereOptions): Promise<${row} | null>`,
  exists: 'exists(filters: Filters<Authors>, options?: WhereOptions): Promise<boolean>',
  count: 'count(filters?: Filters<Authors>, options?: WhereOptions): Promise<number>',
  create: `create(values: ${insert}): Promise<${row}>`,
  update: `update(id: number, patch: PatchOf<Authors>, options?: VersionOptions): Promise<${row}>`,
  upsert: `upsert(values: ${insert}, options?: UpsertOptions<Authors>): Promise<${row}>`,
  delete: 'delete(id: number, options?: VersionOptions): Promise<void>',
  deleteWhere: 'deleteWhere(filters: Filters<Authors>): Promise<number>',
}

describe('an editor shows', () => {
  const file = resolve(import.meta.dirname, 'hovers-sample.ts')
  const text = `${sample}${Object.keys(shown)
    .map((name) => `authorRepository.${name}\n`)
    .join('')}`
  let service: ts.LanguageService
  beforeAll(() => {
    const project = resolve(import.meta.dirname, '../..')
    const config = ts.readConfigFile(resolve(project, 'tsconfig.json'), (path) => ts.sys.readFile(path))
    const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, project)
    const read = (path: string): string | undefined => (path === file ? text : ts.sys.readFile(path))
    service = ts.createLanguageService({
      getCompilationSettings: () => options,
      getScriptFileNames: () => [file],
      getScriptVersion: () => '1',
      getScriptSnapshot: (path) => {
        const content = read(path)
        return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
      },
      getCurrentDirectory: () => project,
      getDefaultLibFileName: (each) => ts.getDefaultLibFilePath(each),
      fileExists: (path) => path === file || ts.sys.fileExists(path),
      readFile: read,
      directoryExists: (path) => ts.sys.directoryExists(path),
      getDirectories: (path) => ts.sys.getDirectories(path),
    })
  })

  test.each(Object.entries(shown))(
    '%s of a repository whose table has a name, in a short signature',
    (name, signature) => {
      const at = text.indexOf(`authorRepository.${name}\n`) + 'authorRepository.'.length
      const info = service.getQuickInfoAtPosition(file, at)
      const hover = ts.displayPartsToString(info?.displayParts).replaceAll(/\s+/g, ' ')
      expect(hover).toBe(`(method) BaseRepository<Authors, "id">.${signature}`)
    },
    60_000,
  )
})
