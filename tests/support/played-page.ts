// Plays a page of docs_site as a reader does: starts its programs, types its commands, and compares what they print with what the page shows.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { readBlocks } from './page-blocks.ts'
import { type PageProgram, readPage, startProgram } from './page-program.ts'

const run = promisify(execFile)
const wscat = fileURLToPath(new URL('../node_modules/wscat/bin/wscat', import.meta.url))
const tsx = `'${process.execPath}' --conditions=@twinwire/source --import tsx`
/** The pages that are played, with the number of outputs that each shows. */
export const playedPages = {
  index: 1,
  routes: 5,
  steps: 3,
  'input-and-output': 5,
  commands: 2,
  errors: 4,
  topics: 2,
  http: 6,
  logs: 4,
  plugins: 2,
  running: 2,
}

/** That of a reader, and not that of a test. */
const env = { NODE_ENV: 'development', ENV: 'dev', PORT: '0' }

/**
 * A block `ts` that listens is started, in place of the one before. A block `sh` with commands for it is run, and the block `json` or `text` that follows at
 * once is what it prints; there `…` is what differs from run to run. A block `log` has lines that the program has logged.
 *
 * @returns How many outputs were compared.
 */
export async function playPage(page: string): Promise<number> {
  const { folder, blocks } = await readBlocks(page)
  const fences = [...readPage(page).matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
  let program: PageProgram | null = null
  let port = ''
  let compared = 0
  for (const [i, [, language = '', text = '']] of fences.entries()) {
    const name = /^\/\/ (\S+)\n/.exec(text)?.[1]
    if (language === 'ts' && name !== undefined && text.includes('.listen(')) {
      await program?.end()
      program = startProgram(folder, name, env)
      port = (await program.find(/^http:\/\/[\w.]+:(\d+)$/m))[1] ?? ''
      for (const block of blocks)
        if (block.code.includes('localhost:8000'))
          await writeFile(`${folder}/${block.name}`, block.code.replaceAll('localhost:8000', `localhost:${port}`))
    } else if (language === 'log') {
      for (const line of text.trim().split('\n')) await program?.find(toPattern(line))
      compared += 1
    } else if (language === 'sh' && /localhost:8000|^npx tsx/m.test(text) && program !== null) {
      const printed = await type(text.replaceAll('localhost:8000', `localhost:${port}`), folder)
      const [, kind = '', shown = ''] = fences[i + 1] ?? []
      if (kind !== 'json' && kind !== 'text') continue
      expect(printed, text).toMatch(toPattern(shown.trim(), ''))
      compared += 1
    }
  }
  await program?.end()
  return compared
}

async function type(commands: string, folder: string): Promise<string> {
  const typed = commands
    // On a busy machine a reply may take longer than the second that a reader waits.
    .replaceAll(/npx --yes wscat (.*) -w 1 /g, `'${process.execPath}' '${wscat}' $1 -w 2 `)
    .replaceAll('npx tsx', tsx)
    .replaceAll(/^curl /gm, 'curl -s ')
  const { stdout } = await run('bash', ['-c', typed], { cwd: folder, env: { ...process.env, ...env } })
  // Of an app that a command has closed.
  return stdout
    .replaceAll('\r', '')
    .replaceAll(/^\{"level":.*"msg":"Closed"\}\n?/gm, '')
    .trim()
}

/** `flags`: without `m` the pattern is for all that is printed, with it for a line. */
function toPattern(shown: string, flags = 'm'): RegExp {
  const escaped = shown.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replaceAll('…', '[^\\n]*')}$`, flags)
}
