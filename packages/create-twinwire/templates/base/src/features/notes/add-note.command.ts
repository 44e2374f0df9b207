import { BaseCommand, ConflictError } from '@twinwire/core'
import type { NoteRepository } from './note.repository.ts'
import type { AddNoteInput, Note } from './note.schemas.ts'

export class AddNoteCommand extends BaseCommand<AddNoteInput, Note> {
  readonly #notes: NoteRepository

  constructor(notes: NoteRepository) {
    super()
    this.#notes = notes
  }

  async execute({ text }: AddNoteInput): Promise<Note> {
    if (await this.#notes.findByText(text)) throw new ConflictError(`The note '${text}' already exists`)
    return this.#notes.create({ text })
  }
}
