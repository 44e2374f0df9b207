import { BaseCommand } from '@twinwire/core'
import type { NoteRepository } from './note.repository.ts'
import type { Note } from './note.schemas.ts'

export class ListNotesCommand extends BaseCommand<unknown, Note[]> {
  readonly #notes: NoteRepository

  constructor(notes: NoteRepository) {
    super()
    this.#notes = notes
  }

  execute(): Promise<Note[]> {
    return this.#notes.listNewest()
  }
}
