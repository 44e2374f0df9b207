// The program as a process, on the documents of two releases of one app.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ran } from '../run.fixtures.ts'
import { type Documents, describeNewRelease, describeOldRelease } from './two-releases.fixtures.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const tsx = import.meta.resolve('tsx')

let folder = ''
let old: Documents
let now: Documents

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinwire-api-diff-'))
  old = await describeOldRelease()
  now = await describeNewRelease()
  for (const [release, documents] of [
    ['old', old],
    ['new', now],
  ] as const)
    for (const kind of ['openapi', 'asyncapi'] as const)
      await writeFile(join(folder, `${kind}.${release}.json`), documents[kind])
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

function twinwire(args: readonly string[], stdin = ''): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', tsx, main, ...args], { cwd: folder })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (out += String(chunk)))
    child.stderr.on('data', (chunk: Buffer) => (err += String(chunk)))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? -1, out, err }))
    // A program that ends without reading is not an error.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
  })
}

describe('twinwire api diff', { timeout: 120_000 }, () => {
  it('lists what changed over HTTP', async () => {
    const { code, out, err } = await twinwire(['api', 'diff', 'openapi.old.json', 'openapi.new.json'])
    expect(out).toMatchSnapshot()
    expect([code, err]).toEqual([1, ''])
  })

  it('lists what changed over WebSocket', async () => {
    const { code, out, err } = await twinwire(['api', 'diff', 'asyncapi.old.json', 'asyncapi.new.json'])
    expect(out).toMatchSnapshot()
    expect([code, err]).toEqual([1, ''])
  })

  it('writes JSON and Markdown', async () => {
    const files = ['asyncapi.old.json', 'asyncapi.new.json']
    const json = await twinwire(['api', 'diff', ...files, '--format', 'json'])
    const report: unknown = JSON.parse(json.out)
    expect(report).toMatchObject({
      version: 1,
      kind: 'asyncapi',
      old: files[0],
      new: files[1],
      passed: false,
      allowed: 0,
    })
    expect(report).toHaveProperty(
      'changes',
      expect.arrayContaining([
        {
          id: 'pkg-id CREATE (3)',
          rule: 'pkg-id',
          severity: 'breaking',
          wire: 'websocket',
          where: 'CREATE (3)',
          at: '',
          message: 'PkgID was 3, now 4',
          allowed: false,
        },
      ]),
    )
    const markdown = await twinwire(['api', 'diff', ...files, '--format', 'markdown'])
    expect(markdown.out).toMatch(
      /^### AsyncAPI: \d+ breaking, \d+ to review, \d+ compatible\n\n#### Breaking\n\n- \*\*/,
    )
    expect(markdown.out).toContain('- **CREATE (3)**: PkgID was 3, now 4  \n  `pkg-id CREATE (3)`\n')
    expect([json.code, markdown.code]).toEqual([1, 1])
  })

  it('says that equal documents are equal, from the standard input too', async () => {
    expect(await twinwire(['api', 'diff', '-', 'openapi.old.json'], `\uFEFF${old.openapi}`)).toEqual({
      code: 0,
      out: 'OpenAPI: no changes\n',
      err: '',
    })
  })

  it('accepts changes by their ids and rules', async () => {
    const files = ['openapi.old.json', 'openapi.new.json']
    const { changes }: { changes: { id: string; rule: string; severity: string }[] } = JSON.parse(
      (await twinwire(['api', 'diff', ...files, '--format', 'json'])).out,
    )
    const breaking = changes.filter(({ severity }) => severity !== 'compatible')
    const allow = (ids: readonly string[]) => ids.flatMap((id) => ['--allow', id])
    const ids = breaking.map(({ id }) => id)
    const all = await twinwire(['api', 'diff', ...files, ...allow(ids)])
    expect([all.code, all.err]).toEqual([0, ''])
    expect(all.out).toContain(`allowed: ${ids[0]}`)
    expect((await twinwire(['api', 'diff', ...files, ...allow(ids.slice(1))])).code).toBe(1)
    const byRule = await twinwire([
      'api',
      'diff',
      ...files,
      ...allow([...new Set(breaking.map(({ rule }) => rule)), 'pkg-id']),
    ])
    expect([byRule.code, byRule.err]).toEqual([0, 'twinwire api diff: --allow "pkg-id" fits no change: remove it\n'])
  })

  it('does not compare two kinds, and says what it was given', async () => {
    const { code, out, err } = await twinwire(['api', 'diff', 'openapi.old.json', 'asyncapi.new.json'])
    expect([code, out]).toEqual([2, ''])
    expect(err).toBe('twinwire api diff: The old document is OpenAPI, the new one AsyncAPI: compare two of one kind\n')
  })

  it('ends quietly when its reader leaves', async () => {
    const child = spawn(
      process.execPath,
      ['--import', tsx, main, 'api', 'diff', 'openapi.old.json', 'openapi.new.json'],
      {
        cwd: folder,
      },
    )
    let err = ''
    child.stderr.on('data', (chunk: Buffer) => (err += String(chunk)))
    child.stdout.destroy()
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect([code, err]).toEqual([1, ''])
  })
})
