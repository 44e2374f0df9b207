// Programs of pages run in a process of their own, and what pages show is compared with what is really sent.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, vi } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The text of a page of docs_site. */
export function readPage(name: string): string {
  return readFileSync(`${root}/docs_site/${name}.md`, 'utf8')
}

/** The contents of all code blocks of this language, in order. */
export function shownBlocks(markdown: string, language: string): readonly string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text = '']) =>
    text.trim(),
  )
}

export interface ShownAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An answer as a block of http shows it: the status line, some of the headers, and the body. */
export function parseAnswer(text: string): ShownAnswer {
  const [head = '', ...body] = text.split('\n\n')
  const [line = '', ...headers] = head.split('\n')
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]),
    headers: Object.fromEntries(
      headers.map((header): [string, string] => {
        const colon = header.indexOf(': ')
        return [header.slice(0, colon).toLowerCase(), header.slice(colon + 2)]
      }),
    ),
    body: body.join('\n\n'),
  }
}

/** Of an answer that was sent what the page shows of it. */
export async function partShown(answer: Response, shown: ShownAnswer): Promise<ShownAnswer> {
  return {
    status: answer.status,
    headers: Object.fromEntries(Object.keys(shown.headers).map((name) => [name, answer.headers.get(name) ?? ''])),
    body: await answer.text(),
  }
}

export interface PageProgram {
  readonly child: ChildProcess
  /** All that it has printed so far, on both streams. */
  text(): string
  /** The first match in what it prints; waits for it. */
  find(pattern: RegExp): Promise<RegExpExecArray>
  /** Ends it with SIGTERM, and expects that it exits with 0. */
  end(): Promise<void>
}

/** Starts a block of a page, by Node.js with tsx. The test kills it when it has finished. */
export function startProgram(folder: string, file: string, env: Readonly<Record<string, string>> = {}): PageProgram {
  const child = spawn(process.execPath, ['--conditions=@twinwire/source', '--import', 'tsx', file], {
    cwd: folder,
    env: { ...process.env, ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
  return {
    child,
    text: () => text,
    find: (pattern) =>
      vi.waitFor(
        () => {
          const found = pattern.exec(text)
          if (found === null) throw new Error(`not printed yet: ${pattern.source}\n${text}`)
          return found
        },
        { timeout: 60_000, interval: 50 },
      ),
    async end() {
      child.kill('SIGTERM')
      expect(await once(child, 'exit')).toEqual([0, null])
    },
  }
}
