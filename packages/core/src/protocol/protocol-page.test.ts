// What docs_site/wire-protocol.md says about the tables of the source, and is not written from them.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type DisconnectRow, disconnects } from '../errors/disconnect.ts'
import { clientFrames, serverFrames } from './frame-table.ts'

const root = new URL('../../../../', import.meta.url)
const page = readFileSync(new URL('docs_site/wire-protocol.md', root), 'utf8')

/** How a row begins to say what a client does. */
const actions: Readonly<Record<DisconnectRow['reconnect'], string>> = {
  no: 'does not connect again',
  yes: 'connects again',
  later: 'connects again later',
  jittered: 'connects again, at a random time',
  'with a new token': 'connects again with a new token',
  'with a new login': 'needs a new login',
}

/** The sources of core and of `auth()`, without tests. */
const sources = ['packages/core/src/', 'packages/plugin-auth/src/'].flatMap((folder) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.test(?:-d)?\.ts$|fixtures|suites|testing|frame-table\.ts$/.test(file))
    .map((file) => readFileSync(new URL(folder + file, root), 'utf8')),
)

describe('the page about the protocol', () => {
  it.each(Object.values(disconnects))('$code $reason: what a client does is what its table says', (row) => {
    expect(row.about.startsWith(actions[row.reconnect])).toBe(true)
  })

  it.each(Object.entries(clientFrames))('has a frame of the type %s', (type, { sent }) => {
    expect(sent.startsWith(`\`{"type":"${type}"`)).toBe(true)
  })

  it.each(Object.entries(serverFrames))('has the frame %s, which a server sends', (type, { frame }) => {
    expect(frame.startsWith(`\`{"type":"${type}"`)).toBe(true)
    expect(sources.some((source) => new RegExp(`'${type}'|"type":"${type}"`).test(source))).toBe(true)
  })

  it('has examples that are JSON', () => {
    const spans = [...page.matchAll(/`(\{".*?\})`/g)].map(([, span = '']) => span)
    const [, session = ''] = /```text\n([\s\S]*?)```/.exec(page) ?? []
    const sent = session.split(/\n|\s{2,}/).flatMap((part) => /^[<>] (\{.*)$/.exec(part)?.[1] ?? [])
    const frames = [...spans, ...sent]
    expect(frames.length).toBeGreaterThan(35)
    for (const frame of frames) expect(() => JSON.parse(frame), frame).not.toThrow()
  })
})
