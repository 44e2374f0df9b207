import { isWellFormed } from '../../base/well-formed.ts'

/** Longer than a path of any system that Node runs on. */
const maxLength = 4096

/** What Windows reads as something else than a name: streams and drives, wild cards, devices, short names, and an end that it drops. */
const otherOnWindows =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Windows has no names with them
  /[\u0000-\u001f<>:"|?*]|[. ](?:\/|$)|~\d|(?:^|\/)(?:con|prn|aux|nul|(?:com|lpt)[\d¹²³]|conin\$|conout\$)(?:[. ]|\/|$)/i

/**
 * May a file have this name below a root, with `/` between folders? Not with a segment that is empty or begins with a dot (`..`, `.env`), with a
 * backslash or a NUL, nor with what Windows reads as another name.
 *
 * @example
 * isServable('css/site.css') // true
 * isServable('../secret') // false
 */
export function isServable(name: string, platform: NodeJS.Platform = process.platform): boolean {
  if (name === '' || name.length > maxLength || !isWellFormed(name)) return false
  if (name.includes('\0') || name.includes('\\')) return false
  for (let start = 0; start <= name.length; ) {
    const slash = name.indexOf('/', start)
    const end = slash === -1 ? name.length : slash
    if (end === start || name.charCodeAt(start) === 46) return false
    start = end + 1
  }
  return platform !== 'win32' || !otherOnWindows.test(name)
}

/**
 * The name in a path below a prefix, as sent (`/caf%C3%A9/menu.txt`): `café/menu.txt`. It may end in a slash, and is empty for the folder itself. Every
 * spelling of a path gives the same name. Null for a path that cannot be decoded.
 */
export function decodeName(path: string): string | null {
  const name = path.slice(1)
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return null
  }
}

/** No file has such a path: the slash would be a part of its name. */
export function hasEncodedSlash(path: string): boolean {
  return path.includes('%') && /%2f/i.test(path)
}

/**
 * Is `real` the path `asked` in other letters? Systems that do not tell upper case from lower open the file by both, but the routes of an app
 * tell `/private` from `/Private`.
 */
export function isOtherSpelling(asked: string, real: string): boolean {
  const [a, b] = [asked.normalize('NFC'), real.normalize('NFC')]
  return a !== b && a.toLowerCase() === b.toLowerCase()
}
