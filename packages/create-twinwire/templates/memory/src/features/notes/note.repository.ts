import type { Note } from './note.schemas.ts'

/** Notes in memory: they end with the process. On a database it would be a `BaseRepository`, with the same methods. */
export class NoteRepository {
  readonly #notes: Note[] = []

  async findByText(text: string): Promise<Note | null> {
    return this.#notes.find((note) => note.text === text) ?? null
  }

  async create({ text }: Pick<Note, 'text'>): Promise<Note> {
    const note = { id: this.#notes.length + 1, text }
    this.#notes.push(note)
    return note
  }

  async listNewest(): Promise<Note[]> {
    return this.#notes.slice(-100).reverse()
  }

  /** For tests. */
  clear(): void {
    this.#notes.length = 0
  }
}

export const noteRepository = new NoteRepository()
