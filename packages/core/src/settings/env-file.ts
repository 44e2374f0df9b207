import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/** Variables by name, as `process.env` has them. */
export type Variables = Readonly<Record<string, string | undefined>>

/** Reads a `.env` file with Node's parser. A missing file is empty unless `mustExist`. Adds errors to `problems`. */
export function readEnvFile(path: string, mustExist: boolean, problems: string[]): Variables {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    if (code !== 'ENOENT' || mustExist) {
      problems.push(`The file ${path} cannot be read (${code}): make it readable, or do not set it`)
    }
    return {}
  }
  const content = text.replace(/^\uFEFF/, '')
  for (const line of findUnreadLines(content))
    problems.push(`Line ${line} of the file ${path} is not NAME=value: correct it or put # before it`)
  return parseEnv(content)
}

/** A quoted value may have several lines; without its end it ends with its line, as in Node's parser. */
const assignment = /[ \t]*(?:export[ \t]+)?[A-Za-z_][\w.-]*[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`)?[^\n]*(?:\n|$)/y
const blankOrComment = /[ \t\r]*(?:#[^\n]*)?(?:\n|$)/y

/**
 * Numbers of the lines that are not assignments. Node 20 takes one for the start of the next name, newer ones skip it. It may be part of a secret:
 * only its position is shown.
 */
function findUnreadLines(text: string): readonly number[] {
  const lines: number[] = []
  let at = 0
  while (at < text.length) {
    const end = [blankOrComment, assignment].map((pattern) => endOf(pattern, text, at)).find((each) => each > at)
    if (end === undefined) lines.push(text.slice(0, at).split('\n').length)
    const newline = text.indexOf('\n', at)
    at = end ?? (newline === -1 ? text.length : newline + 1)
  }
  return lines
}

/** Where a match that begins at `at` ends; -1 without one. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : -1
}
