/** What a text of SQL is made of, as far as one has to know where its statements begin and end. */
export interface Token {
  /** `end` is a semicolon that ends a statement; `other` is a string, a quoted name or a sign. */
  readonly kind: 'word' | 'parameter' | 'end' | 'other'
  readonly start: number
  /** Words are in lower case. */
  readonly text: string
}

/** One statement of a text, without its semicolon. */
export interface SqlStatement {
  readonly text: string
  /** The words at its start, in lower case: at most four. */
  readonly words: readonly string[]
  /** `$1` and the like, outside of strings and comments. */
  readonly parameters: readonly string[]
}

const maxWords = 4
/** Those of SQL: all else past ASCII may be part of a name. */
const space = /[ \t\n\v\f\r]/
const word = /[a-z_\u0080-\uffff][\w$\u0080-\uffff]*/iy
const parameter = /\$\d+/y
const dollarQuote = /\$([a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/iy
const commentEdge = /\/\*|\*\//g
const escapedString = /'(?:[^'\\]|\\[\s\S]|'')*'?/y

/** The statements of a text. A statement of nothing but comments is left out. */
export function splitStatements(text: string): SqlStatement[] {
  const statements: SqlStatement[] = []
  let start = 0
  let tokens: Token[] = []
  const close = (end: number): void => {
    if (tokens.length > 0) statements.push(toStatement(text.slice(start, end).trim(), tokens))
    tokens = []
    start = end + 1
  }
  for (const token of tokensOf(text)) {
    if (token.kind === 'end') close(token.start)
    else tokens.push(token)
  }
  close(text.length)
  return statements
}

/** The words that each statement of a text begins with; of the first one alone where the text is sent as a single statement. */
export function* leadingWords(text: string, single: boolean): Generator<readonly string[]> {
  let words: string[] = []
  let isOpen = true
  for (const token of tokensOf(text)) {
    if (token.kind === 'end') {
      if (isOpen && words.length > 0) yield words
      words = []
      isOpen = true
    } else if (isOpen) {
      if (token.kind === 'word') words.push(token.text)
      if (token.kind === 'word' && words.length < maxWords) continue
      isOpen = false
      yield words
      if (single) return
    }
  }
  if (isOpen && words.length > 0) yield words
}

function toStatement(text: string, tokens: readonly Token[]): SqlStatement {
  const other = tokens.findIndex(({ kind }) => kind !== 'word')
  const words = tokens.slice(0, other === -1 ? maxWords : Math.min(other, maxWords)).map((token) => token.text)
  const parameters = tokens.filter(({ kind }) => kind === 'parameter').map((token) => token.text)
  return { text, words, parameters }
}

/** As psql finds the ends of statements: not within brackets (CREATE RULE), nor within the body of BEGIN ATOMIC. */
export function* tokensOf(text: string): Generator<Token> {
  let brackets = 0
  let blocks = 0
  let words: string[] = []
  let at = 0
  while (at < text.length) {
    const sign = text.charAt(at)
    const start = at
    at = skipOne(text, at)
    if (space.test(sign) || isComment(text, start)) continue
    if (sign === ';' && brackets === 0 && blocks === 0) {
      words = []
      yield { kind: 'end', start, text: sign }
      continue
    }
    if (sign === '(') brackets += 1
    if (sign === ')') brackets = Math.max(0, brackets - 1)
    const kind = kindAt(text, start)
    const token: Token = { kind, start, text: kind === 'other' ? sign : text.slice(start, at).toLowerCase() }
    if (kind === 'word') {
      if (words.length < maxWords) words.push(token.text)
      if (brackets === 0 && isRoutine(words)) blocks += toDepth(token.text, blocks)
    }
    yield token
  }
}

function isRoutine(words: readonly string[]): boolean {
  const [first, second, , fourth] = words
  const what = second === 'or' ? fourth : second
  return first === 'create' && (what === 'function' || what === 'procedure')
}

function toDepth(text: string, blocks: number): number {
  if (text === 'begin' || (text === 'case' && blocks > 0)) return 1
  return text === 'end' && blocks > 0 ? -1 : 0
}

function isComment(text: string, at: number): boolean {
  return text.startsWith('--', at) || text.startsWith('/*', at)
}

function kindAt(text: string, at: number): Token['kind'] {
  if (matchAt(parameter, text, at) !== null) return 'parameter'
  // E'…' and U&"…" are words that a quote follows at once.
  const found = matchAt(word, text, at)
  return found === null || /^['"&]/.test(text.charAt(at + found.length)) ? 'other' : 'word'
}

/** Where the string, name, comment, word or sign ends that begins here. */
function skipOne(text: string, at: number): number {
  const sign = text.charAt(at)
  if (text.startsWith('--', at)) return indexAfter(text, '\n', at)
  if (text.startsWith('/*', at)) return skipComment(text, at)
  if (sign === "'" || sign === '"') return indexAfter(text, sign, at + 1)
  if (sign === '$') {
    const quote = matchAt(dollarQuote, text, at)
    if (quote !== null) return indexAfter(text, quote, at + quote.length)
    return at + (matchAt(parameter, text, at)?.length ?? 1)
  }
  const found = matchAt(word, text, at)
  if (found === null) return at + 1
  const after = at + found.length
  if (found.toLowerCase() !== 'e') return after
  return after + (matchAt(escapedString, text, after)?.length ?? 0)
}

/** Comments may be within comments. */
function skipComment(text: string, at: number): number {
  let depth = 0
  commentEdge.lastIndex = at
  for (let edge = commentEdge.exec(text); edge !== null; edge = commentEdge.exec(text)) {
    depth += edge[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.index + 2
  }
  return text.length
}

function indexAfter(text: string, what: string, from: number): number {
  const found = text.indexOf(what, from)
  return found === -1 ? text.length : found + what.length
}

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? null
}
