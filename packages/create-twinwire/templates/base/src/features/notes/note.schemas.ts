import * as v from 'valibot'

const NoteTextSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(255))

/** A note, as sent on both wires. */
export const NoteSchema = v.object({ id: v.pipe(v.number(), v.integer(), v.minValue(1)), text: NoteTextSchema })
export type Note = v.InferOutput<typeof NoteSchema>

/** Strict: a misspelt key is an error and not ignored. */
export const AddNoteInput = v.strictObject({ text: NoteTextSchema })
export type AddNoteInput = v.InferOutput<typeof AddNoteInput>
