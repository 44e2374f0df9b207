import { route } from '@twinwire/core'
//: if database
import { withDb } from '@twinwire/core/database'
//: end
import * as v from 'valibot'
//: if auth
import { requireRoles } from '../../roles.ts'
//: end
import { ListNotesCommand } from './list-notes.command.ts'
//: if database
import { NoteRepository } from './note.repository.ts'
//: else
import { noteRepository } from './note.repository.ts'
//: end
import { NoteSchema } from './note.schemas.ts'

export const listNotes = route({
  summary: 'The last 100 notes, newest first',
  http: 'GET /notes',
  //: if auth and database
  use: [requireRoles('read-notes'), withDb()],
  //: end
  //: if auth and not database
  use: [requireRoles('read-notes')],
  //: end
  //: if database and not auth
  use: [withDb()],
  //: end
  output: v.array(NoteSchema),
  //: if database
  command: ({ db }) => new ListNotesCommand(new NoteRepository(db)),
  //: else
  command: () => new ListNotesCommand(noteRepository),
  //: end
})
