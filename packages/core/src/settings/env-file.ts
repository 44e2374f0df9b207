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
  const variables = parseEnv(text.replace(/^\uFEFF/, ''))
  for (const name of Object.keys(variables)) {
    if (/^[A-Za-z_][\w.-]*$/.test(name)) continue
    // The parser takes a line without `=` for the start of the next name. It may be part of a secret: only its position is shown.
    const line = text.slice(0, Math.max(text.indexOf(name), 0)).split('\n').length
    problems.push(`Line ${line} of the file ${path} is not NAME=value: correct it or put # before it`)
  }
  return variables
}
