// An app that stores uploads in files, in a process of its own, and tells the test what it holds.
import { readdirSync, readlinkSync } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, createApp, type Plugin, route } from '@twinwire/core'
import * as v from 'valibot'

/** What the test sees. */
export interface UploadState {
  readonly rssBytes: number
  /** Bytes that handlers have read so far. */
  readonly readBytes: number
  readonly openFiles: number
  readonly openSockets: number
  readonly timers: number
  /** HTTP statuses by the id of the request; 499 for one whose client has left. */
  readonly ends: Readonly<Record<string, readonly number[]>>
}

const folder = await mkdtemp(join(tmpdir(), 'upload-app-'))
const ends: Record<string, number[]> = {}
let readBytes = 0
let timers = 0

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(delayMs, callback) {
    timers++
    let isOpen = true
    const close = (): void => {
      if (isOpen) timers--
      isOpen = false
    }
    const timer = setTimeout(() => {
      close()
      callback()
    }, delayMs)
    timer.unref()
    return {
      cancel() {
        close()
        clearTimeout(timer)
      },
    }
  },
}

const upload = route({
  http: { route: 'POST /files/:id', body: 'stream', maxBodyBytes: 2 ** 30, bodyTimeoutMs: 3000 },
  input: v.object({ id: v.string(), stop: v.optional(v.number()) }),
  deadlineMs: 5000,
  handler: async ({ id, stop }, call) => {
    const path = join(folder, id)
    const file = await open(path, 'wx')
    let bytes = 0
    try {
      for await (const part of call.body) {
        await file.write(part)
        bytes += part.byteLength
        readBytes += part.byteLength
        if (stop !== undefined && bytes >= stop) break
      }
      return { bytes }
    } finally {
      await file.close()
      await rm(path)
    }
  },
})

const counts: Plugin = {
  name: 'counts',
  setup(host) {
    host.onReply(({ id }, { httpStatus }) => {
      ends[id] = [...(ends[id] ?? []), httpStatus]
    })
  },
}

function state(): UploadState {
  let openFiles = 0
  let openSockets = 0
  for (const fd of readdirSync('/proc/self/fd')) {
    let target = ''
    try {
      target = readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      // That of the folder that is read.
    }
    if (target.startsWith(folder)) openFiles++
    if (target.startsWith('socket:')) openSockets++
  }
  return { rssBytes: process.memoryUsage.rss(), readBytes, openFiles, openSockets, timers, ends }
}

const app = createApp({
  pkgIds: {},
  routes: {},
  endpoints: [upload],
  plugins: [counts],
  environment: 'test',
  log: 'error',
  clock,
})
process.on('message', () => process.send?.(state()))
process.on('disconnect', () => {
  void app.close().then(() => rm(folder, { recursive: true, force: true }))
})
const { port } = await app.listen({ port: 0 })
process.send?.({ port })
