// All features of the application, for `createApp` and for tests. `twinwire generate feature` adds one.
import * as notes from './features/notes/feature.ts'
import { noteTopics } from './features/notes/note.topics.ts'

export const routes = { ...notes.routes }
export const events = { ...notes.events }
export const topics = { ...noteTopics }
