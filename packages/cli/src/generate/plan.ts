import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type ts from 'typescript'
import { ProjectError } from '../project/project-error.ts'
import { parseSource } from './source/edit-source.ts'

export interface PlannedFile {
  /** From the root of the project. */
  readonly path: string
  /** Null for a file that does not exist yet. */
  readonly old: string | null
  readonly text: string
}

/** What a command will write: nothing, until all of it is known. */
export class Plan {
  readonly #root: string
  readonly #overwrite: boolean
  readonly #files = new Map<string, PlannedFile>()
  /** Why nothing can be written. */
  readonly refused: string[] = []

  constructor(root: string, overwrite: boolean) {
    this.#root = root
    this.#overwrite = overwrite
  }

  get overwrite(): boolean {
    return this.#overwrite
  }

  get files(): readonly PlannedFile[] {
    return [...this.#files.values()].filter(({ old, text }) => old !== text)
  }

  /** A file of this command alone. */
  create(path: string, text: string): void {
    const old = this.read(path)
    if (old !== null && !this.#overwrite) this.refused.push(`${path} already exists`)
    this.#files.set(path, { path, old, text })
  }

  /** A file that others share. `change` gets its tree, and returns its text, or null when it has all that is wanted. */
  edit(path: string, change: (source: ts.SourceFile) => string | null): void {
    const before = this.#files.get(path)?.text ?? this.read(path)
    if (before === null) throw new ProjectError(`${path} does not exist: twinwire.json can name another path`)
    const after = change(parseSource(path, before))
    if (after === null) return
    parseSource(path, after)
    this.#files.set(path, { path, old: this.read(path), text: after })
  }

  /** As it is on the disk. */
  read(path: string): string | null {
    const file = join(this.#root, path)
    return existsSync(file) ? readFileSync(file, 'utf8') : null
  }

  /** Writes all files. `then` may fail too: after a failure every file is as it was. */
  write(then: () => void): void {
    const done: PlannedFile[] = []
    /** New folders, with the first of them that did not exist. */
    const folders: { readonly first: string; readonly last: string }[] = []
    try {
      for (const file of this.files) {
        const path = join(this.#root, file.path)
        const first = mkdirSync(dirname(path), { recursive: true })
        if (first !== undefined) folders.push({ first, last: dirname(path) })
        done.push(file)
        writeFileSync(path, file.text)
      }
      then()
    } catch (error) {
      for (const file of done) this.#restore(file)
      for (const each of folders.reverse()) this.#removeEmpty(each)
      throw error
    }
  }

  #restore({ path, old }: PlannedFile): void {
    const file = join(this.#root, path)
    if (old === null) rmSync(file, { force: true })
    else writeFileSync(file, old)
  }

  #removeEmpty({ first, last }: { readonly first: string; readonly last: string }): void {
    try {
      for (let folder = last; folder.startsWith(first); folder = dirname(folder)) rmdirSync(folder)
    } catch {
      // It has files of others.
    }
  }
}
