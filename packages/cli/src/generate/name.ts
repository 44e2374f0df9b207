import { UsageError } from '../usage-error.ts'

/** One name in the forms in which code and files need it. */
export interface Name {
  /** `archive-note` */
  readonly kebab: string
  /** `archiveNote` */
  readonly camel: string
  /** `ArchiveNote` */
  readonly pascal: string
  /** `ARCHIVE_NOTE`: a PkgID. */
  readonly constant: string
  /** `archive note`: for people. */
  readonly words: string
}

const maxLength = 40

/** Reserved by the language, in modules. */
const reserved = new Set(
  `arguments as async await break case catch class const continue debugger default delete do else enum eval export extends false finally for from
  function get if implements import in instanceof interface let new null of package private protected public return set static super switch this
  throw true try type typeof undefined var void while with yield`.split(/\s+/),
)

/** Names that generated files use already, in any of their forms. */
const used = new Set(
  `app base call command database db drizzle event events feature features input issuer module output page page-of page-input plugin plugins pkg-id reply
  repository role roles route routes schema start table test topic topics transaction valibot vitest with-db v`.split(
    /\s+/,
  ),
)

const types = new Set([
  'any',
  'bigint',
  'boolean',
  'never',
  'number',
  'object',
  'string',
  'symbol',
  'unknown',
  'record',
])

/** Throws a UsageError that says which name would do. */
export function parseName(kind: string, text: string): Name {
  if (!/^[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*$/.test(text)) {
    const better = toKebab(text)
    const hint = better === '' || better === text ? '' : `, such as ${better}`
    throw new UsageError(
      `${JSON.stringify(text)} is not a name of a ${kind}: use lower case words with hyphens between them, each with a letter first${hint}`,
    )
  }
  if (text.length > maxLength)
    throw new UsageError(`the name of a ${kind} has at most ${maxLength} characters; ${text} has ${text.length}`)
  const name = toName(text)
  if (reserved.has(name.camel)) throw new UsageError(`${text} is a reserved word of JavaScript: choose another name`)
  if (used.has(text) || types.has(text))
    throw new UsageError(`${text} is a name that generated code uses: choose another one, such as ${text}-entry`)
  if (name.pascal in globalThis || name.camel in globalThis)
    throw new UsageError(`${text} is the name of a global of JavaScript: choose another one, such as ${text}-entry`)
  return name
}

function toKebab(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/-+(\d)/g, '$1')
    .replace(/^[-\d]+|-+$/g, '')
}

/** Of words that are known to be a name. */
export function toName(kebab: string): Name {
  const words = kebab.split('-')
  const upper = words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
  const [, ...rest] = upper
  return {
    kebab,
    camel: [words[0] ?? '', ...rest].join(''),
    pascal: upper.join(''),
    constant: words.join('_').toUpperCase(),
    words: words.join(' '),
  }
}

export function joinNames(...parts: readonly (string | Name)[]): Name {
  return toName(parts.map((part) => (typeof part === 'string' ? part : part.kebab)).join('-'))
}

/** `categories` -> `category`. Another word is returned as it is. */
export function toSingular({ kebab }: Name): Name {
  if (/[^aeiou]ies$/.test(kebab)) return toName(`${kebab.slice(0, -3)}y`)
  if (/(?:ss|x|z|ch|sh)es$/.test(kebab)) return toName(kebab.slice(0, -2))
  if (/[^su]s$/.test(kebab) && !/(?:^|-)(?:news|series|species)$/.test(kebab)) return toName(kebab.slice(0, -1))
  return toName(kebab)
}

/** `category` -> `categories`. */
export function toPlural({ kebab }: Name): Name {
  if (/[^aeiou]y$/.test(kebab)) return toName(`${kebab.slice(0, -1)}ies`)
  if (/(?:s|x|z|ch|sh)$/.test(kebab)) return toName(`${kebab}es`)
  return toName(`${kebab}s`)
}

/** `a tag`, `an order`. */
export const withArticle = ({ words }: Name): string => `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`

export const capitalize = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
