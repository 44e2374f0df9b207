import {
  appendFile,
  chmod,
  type FileHandle,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@twinwire/core'
import { Instruments } from '@twinwire/core/plugin'
import { createVirtualClock } from '@twinwire/core/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import { declareInstruments } from './instruments.ts'
import type { Row } from './row.ts'
import { SpillFiles } from './spill-files.ts'

const silent = createLogger({ environment: 'test', level: 'silent' })
const rowOf = (id: string): Row => ({ json: JSON.stringify({ id, outcome: 'success' }), outcome: 'success' })
const patient = { timeout: 15_000 }

async function create({ folder = '', maxBytes = 10_000 } = {}) {
  const path = folder === '' ? join(await mkdtemp(join(tmpdir(), 'twinwire-spill-')), 'spill') : folder
  const stored: string[] = []
  const state = { fails: false }
  const instruments = declareInstruments(new Instruments())
  const lost = vi.fn()
  const files = await SpillFiles.open({
    folder: path,
    maxBytes,
    batchSize: 2,
    clock: createVirtualClock(),
    log: silent,
    instruments,
    store: async (rows) => {
      if (state.fails) throw new Error('away')
      for (const { json } of rows.splice(0)) stored.push(String(JSON.parse(json).id))
    },
    lost,
  })
  onTestFinished(() => files.close())
  const add = (...ids: string[]) => ids.map((id) => files.add(rowOf(id)))
  return { path, stored, state, instruments, lost, files, add }
}

/** A file of a process that has ended; ids of processes are never that high. */
const deadName = `audit-${hostname().replace(/[^\w.]/g, '_')}-99999999-0-0123456789abcdef-1.jsonl`

test('rows are kept in a file that only its user can read, and are read back', async () => {
  const { path, stored, files, add } = await create()
  add('a', 'b', 'c')
  await expect.poll(async () => (await readdir(path)).length, patient).toBe(1)
  expect((await stat(path)).mode & 0o777).toBe(0o700)
  const [name = ''] = await readdir(path)
  expect((await stat(join(path, name))).mode & 0o777).toBe(0o600)
  expect(files.rows).toBe(3)
  files.readBack()
  await expect.poll(() => stored, patient).toEqual(['a', 'b', 'c'])
  await expect.poll(async () => (await readdir(path)).length, patient).toBe(0)
  expect(files.rows).toBe(0)
})

test('rows count, and are read back, from the moment they are added', async () => {
  const { path, stored, files, add } = await create()
  add('a')
  expect(files.rows).toBe(1)
  files.readBack()
  await expect.poll(() => stored, patient).toEqual(['a'])
  await expect.poll(async () => (await readdir(path)).length, patient).toBe(0)
})

test('a row may contain what other formats take for the end of a line', async () => {
  const { path, stored, files, instruments, add } = await create()
  add('a\u2028b', 'c\u2029d', 'e')
  const written = async () => readFile(join(path, (await readdir(path))[0] ?? ''), 'utf8').catch(() => '')
  await expect.poll(async () => (await written()).match(/\r?\n|\r|\u2028|\u2029/g)?.length, patient).toBe(3)
  files.readBack()
  await expect.poll(() => stored, patient).toEqual(['a\u2028b', 'c\u2029d', 'e'])
  expect(instruments.errors.spill.value).toBe(0)
})

test('a file that was removed costs its rows, and holds back no other', async () => {
  const { path, stored, files, lost, instruments, add } = await create()
  add('a', 'b')
  // Both are in it.
  const written = async () => readFile(join(path, (await readdir(path))[0] ?? ''), 'utf8').catch(() => '')
  await expect.poll(written, patient).toContain('"b"')
  await rm(join(path, (await readdir(path))[0] ?? ''))
  files.readBack()
  await expect.poll(() => lost.mock.calls, patient).toEqual([[2]])
  expect(instruments.errors.spill.value).toBe(1)
  add('c')
  await expect.poll(async () => (await readdir(path)).length, patient).toBe(1)
  files.readBack()
  await expect.poll(() => stored, patient).toEqual(['c'])
  expect(files.rows).toBe(0)
})

test('a disk that is full in the middle of a row costs that row alone', async () => {
  const { path, stored, files, lost, add } = await create()
  add('a')
  await expect.poll(async () => (await readdir(path)).length, patient).toBe(1)
  const [name = ''] = await readdir(path)
  const probe = await open(join(path, name))
  await probe.close()
  const prototype: Pick<FileHandle, 'appendFile'> = Object.getPrototypeOf(probe)
  // A full disk writes what fits.
  const full = vi.spyOn(prototype, 'appendFile').mockImplementationOnce(async () => {
    await appendFile(join(path, name), rowOf('b').json.slice(0, 9))
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  })
  onTestFinished(() => full.mockRestore())
  add('b')
  await expect.poll(() => lost.mock.calls, patient).toEqual([[1]])
  add('c')
  files.readBack()
  await expect.poll(() => stored, patient).toEqual(['a', 'c'])
})

test('the files of a process are bounded, and what was stored makes place again', async () => {
  const { stored, files, add } = await create({ maxBytes: 100 })
  expect(add('aaaa', 'bbbb', 'cccc', 'dddd')).toEqual([true, true, false, false])
  files.readBack()
  await expect.poll(() => stored, patient).toEqual(['aaaa', 'bbbb'])
  await expect.poll(() => add('eeee'), patient).toEqual([true])
})

test('a failure while they are read loses none, and stores none twice', async () => {
  const { stored, state, files, add } = await create()
  add('a', 'b', 'c')
  state.fails = true
  files.readBack()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(files.rows).toBe(3)
  state.fails = false
  await expect
    .poll(() => {
      files.readBack()
      return stored
    }, patient)
    .toEqual(['a', 'b', 'c'])
})

test('files of a process that has ended are taken over, without what it has left half-written', async () => {
  const first = await create()
  await first.files.close()
  await writeFile(join(first.path, deadName), `${rowOf('a').json}\n{"broken":\n${rowOf('b').json}\n{"id":"c","outco`)
  await chmod(join(first.path, deadName), 0o600)
  const { stored, files, instruments } = await create({ folder: first.path })
  files.readBack()
  await expect.poll(() => stored, patient).toEqual(['a', 'b'])
  expect(instruments.errors.spill.value).toBe(2)
  await expect.poll(async () => (await readdir(first.path)).length, patient).toBe(0)
})

test('only one of several processes takes a file over', async () => {
  const { path } = await create()
  const ids = Array.from({ length: 50 }, (_, i) => `r${i}`)
  await writeFile(join(path, deadName), ids.map((id) => `${rowOf(id).json}\n`).join(''))
  const all = await Promise.all([1, 2, 3].map(() => create({ folder: path })))
  for (const { files } of all) files.readBack()
  await expect.poll(() => all.flatMap(({ stored }) => stored).sort(), patient).toEqual([...ids].sort())
})

test('files of processes that run, of other hosts, and others are not changed', async () => {
  const running = await create()
  running.add('a')
  await expect.poll(async () => (await readdir(running.path)).length, patient).toBe(1)
  const others = [`audit-elsewhere-1-0-0123456789abcdef-1.jsonl`, 'notes.txt']
  for (const name of others) await appendFile(join(running.path, name), 'x\n')
  const { stored, files } = await create({ folder: running.path })
  files.readBack()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(stored).toEqual([])
  expect(await readdir(running.path)).toHaveLength(3)
  expect(await readFile(join(running.path, 'notes.txt'), 'utf8')).toBe('x\n')
})

test('a folder that cannot be used is a boot error', async () => {
  const { path } = await create()
  await writeFile(join(path, 'file'), '')
  await expect(create({ folder: join(path, 'file') })).rejects.toMatchObject({
    code: 'bad_option',
    message: expect.stringContaining('spillFolder must be a folder that this process may write'),
  })
})
