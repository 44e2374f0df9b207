// docs_site/wire-protocol.md says what the tables of the source say.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { errorCodes } from '../errors/codes.ts'
import { type DisconnectRow, disconnects } from '../errors/disconnect.ts'
import { coreFrameTypes } from './frame.ts'

const page = readFileSync(new URL('../../../../docs_site/wire-protocol.md', import.meta.url), 'utf8')

/** The cells of the rows of the first table below a heading, without its head. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const section = page.split('\n## ').find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('| '))
  return lines.slice(1).map((line) => {
    const cells = line.split('|').slice(1, -1)
    return cells.map((cell) => cell.trim().replaceAll('`', ''))
  })
}

/** How the page begins to say what a client does. */
const actions: Readonly<Record<DisconnectRow['reconnect'], string>> = {
  no: 'does not connect again',
  yes: 'connects again',
  later: 'connects again later',
  jittered: 'connects again, at a random time',
  'with a new token': 'connects again with a new token',
  'with a new login': 'needs a new login',
}

describe('the page about the protocol', () => {
  it('has the error codes with their statuses', () => {
    const rows = rowsOf('Error codes').map((cells) => cells.slice(0, 4))
    expect(rows).toEqual(
      Object.entries(errorCodes).map(([code, { status, httpStatus, retry }]) => [
        code,
        String(status),
        String(httpStatus),
        retry ? 'yes' : 'no',
      ]),
    )
  })

  it('has the close codes with their reasons, and what a client does', () => {
    const rows = rowsOf('Close codes')
    const expected = Object.values(disconnects).map(({ code, reason }) => [String(code), reason])
    expect(rows.map((cells) => cells.slice(0, 2))).toEqual(expected)
    const found = rows.map(([, , action = '']) => action)
    expect(found).toEqual(
      Object.values(disconnects).map(({ reconnect }) => expect.stringMatching(new RegExp(`^${actions[reconnect]}`))),
    )
  })

  it('has every control frame that a client may send', () => {
    const types = rowsOf('Control frames').map(([frame = '']) => /^\{"type":"(\w+)"/.exec(frame)?.[1])
    expect(types.filter((type) => type !== undefined)).toEqual(expect.arrayContaining([...coreFrameTypes]))
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
