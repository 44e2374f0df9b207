import { route } from '@twinwire/core'
//: if database
import { transaction } from '@twinwire/core/database'
//: end
//: if limits
import { limit } from '@twinwire/plugin-ratelimit'
//: end
//: if auth
import { requireRoles } from '../../roles.ts'
//: end
import { AddNoteCommand } from './add-note.command.ts'
//: if database
import { NoteRepository } from './note.repository.ts'
//: else
import { noteRepository } from './note.repository.ts'
//: end
import { AddNoteInput, NoteSchema } from './note.schemas.ts'
import { notesTopic } from './note.topics.ts'
import { noteAdded } from './note-added.event.ts'

export const addNote = route({
  summary: 'Add a note',
  http: { route: 'POST /notes', status: 201 },
  //: if auth or limits or database
  use: [
    // On both wires.
    //: if auth
    requireRoles('write-notes'),
    //: end
    //: if limits
    limit('60/m'),
    //: end
    //: if database
    transaction(),
    //: end
  ],
  //: end
  input: AddNoteInput,
  output: NoteSchema,
  // A command does not know connections, so the event is published here{{database:, and sent after the commit}}.
  handler: async (input, call) => {
    //: if database
    const note = await new AddNoteCommand(new NoteRepository(call.db)).execute(input)
    //: else
    const note = await new AddNoteCommand(noteRepository).execute(input)
    //: end
    call.publish(notesTopic, noteAdded, note)
    return note
  },
})
