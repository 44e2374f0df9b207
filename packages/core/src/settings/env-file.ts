import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/** Variables by name, as `process.env` has them. */
export type Variables = Readonly<Record<string, string | undefined>>

/** Reads a `.env` file by Node's own parser. One that is not there is empty unless `mustExist`. Adds what is wrong to `problems`. */
export function readEnvFile(path: string, mustExist: boolean, problems: string[]): Variables {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    if (code !== 'ENOENT' || mustExist) {
      problems.push(`The file ${path} cannot be read (${code}): make it readable, or do not name it`)
    }
    return {}
  }
  const variables = parseEnv(text.replace(/^\uFEFF/, ''))
  for (const name of Object.keys(variables)) {
    if (/^[A-Za-z_][\w.-]*$/.test(name)) continue
    // The parser takes a line without `=` for the start of the next name. It may be a piece of a secret: only its place is told.
    const line = text.slice(0, Math.max(text.indexOf(name), 0)).split('\n').length
    problems.push(`The file ${path} has a line that is no NAME=value, at line ${line}: correct it or put # before it`)
  }
  return variables
}
