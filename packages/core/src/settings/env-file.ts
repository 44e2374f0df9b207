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
  const { assignments, unread } = readLines(content)
  for (const line of unread)
    problems.push(`Line ${line} of the file ${path} is not NAME=value: correct it or put # before it`)
  return parseEnv(assignments.join(''))
}

/** A quoted value may have several lines; without its end it ends with its line, as in Node's parser. */
const assignment = /[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*((?:"[^"]*"|'[^']*'|`[^`]*`)?[^\n]*(?:\n|$))/y
const blankOrComment = /[ \t\r]*(?:#[^\n]*)?(?:\n|$)/y

/**
 * The assignments alone, without white space around their names: Node 20 takes a tab, a line of spaces, or a line that is not an assignment for a part of
 * the next name, and newer ones skip it. `unread`: numbers of the lines that are not assignments. Such a line may be part of a secret: only its position
 * is shown.
 */
function readLines(text: string): { readonly assignments: readonly string[]; readonly unread: readonly number[] } {
  const assignments: string[] = []
  const unread: number[] = []
  let at = 0
  while (at < text.length) {
    const blank = matchAt(blankOrComment, text, at)
    const found = blank === null ? matchAt(assignment, text, at) : null
    if (found !== null) assignments.push(`${found[1]}=${found[2]}`)
    else if (blank === null) unread.push(text.slice(0, at).split('\n').length)
    const newline = text.indexOf('\n', at)
    at += (blank ?? found)?.[0].length ?? (newline === -1 ? text.length : newline + 1 - at)
  }
  return { assignments, unread }
}

/** Null also for an empty match, at the end of the text. */
function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  const found = pattern.exec(text)
  return found === null || found[0] === '' ? null : found
}
