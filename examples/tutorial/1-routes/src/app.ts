import { createApp } from '@twinwire/core'
import { api } from './api.ts'

/** Puts the application together. Nothing is opened before it listens. */
export function createShoppingApp() {
  return createApp({ ...api })
}
