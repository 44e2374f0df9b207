// What a page of the app with cookies runs: the client, for the scripts of a test.
import { createClient } from '@twinwire/client'

Object.assign(globalThis, { createClient })
