import { addNote } from './add-note.route.ts'
import { listNotes } from './list-notes.route.ts'
import { noteAdded } from './note-added.event.ts'

export const routes = { LIST_NOTES: listNotes, ADD_NOTE: addNote }
export const events = { NOTE_ADDED: noteAdded }
