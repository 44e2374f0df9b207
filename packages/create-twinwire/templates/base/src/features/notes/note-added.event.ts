import { event } from '@twinwire/core'
import { NoteSchema } from './note.schemas.ts'

export const noteAdded = event({ summary: 'A note was added, on either wire', data: NoteSchema })
