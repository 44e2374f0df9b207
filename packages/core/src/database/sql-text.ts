/** A token of SQL, as far as it is needed to find the start and the end of statements. */
export interface Token {
  /** `end` is a semicolon that ends a statement; `other` is a string, a quoted name or a symbol. */
  readonly kind: 'word' | 'parameter' | 'end' | 'other'
  readonly start: number
  /** Words are in lower case. */
  readonly text: string
}

/** One statement of a string, without its semicolon. */
export interface SqlStatement {
  readonly text: string
  /** The words at its start, in lower case: at most four. */
  readonly words: readonly string[]
  /** `$1` and the like, outside of strings and comments. */
  readonly parameters: readonly string[]
}

const maxWords = 4
/** White space of SQL: all other characters beyond ASCII may be part of a name. */
const space = /[ \t\n\v\f\r]/
const word = /[a-z_\u0080-\uffff][\w$\u0080-\uffff]*/iy
const parameter = /\$\d+/y
const dollarQuote = /\$([a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/iy
const commentEdge = /\/\*|\*\//g
const escapedString = /'(?:[^'\\]|\\[\s\S]|'')*'?/y

/** The statements of an SQL text, without those that consist of comments only. */
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

/** The first words of each statement of an SQL text; only of the first statement where the text is sent as a single one. */
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

/** Finds the ends of statements as psql does: not inside brackets (CREATE RULE), nor inside the body of BEGIN ATOMIC. */
export function* tokensOf(text: string): Generator<Token> {
  let brackets = 0
  let blocks = 0
  let words: string[] = []
  let at = 0
  while (at < text.length) {
    const symbol = text.charAt(at)
    const start = at
    at = skipOne(text, at)
    if (space.test(symbol) || isComment(text, start)) continue
    if (symbol === ';' && brackets === 0 && blocks === 0) {
      words = []
      yield { kind: 'end', start, text: symbol }
      continue
    }
    if (symbol === '(') brackets += 1
    if (symbol === ')') brackets = Math.max(0, brackets - 1)
    const kind = kindAt(text, start)
    const token: Token = { kind, start, text: kind === 'other' ? symbol : text.slice(start, at).toLowerCase() }
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

/** The end of the string, name, comment, word or symbol at this position. */
function skipOne(text: string, at: number): number {
  const symbol = text.charAt(at)
  if (text.startsWith('--', at)) return indexAfter(text, '\n', at)
  if (text.startsWith('/*', at)) return skipComment(text, at)
  if (symbol === "'" || symbol === '"') return indexAfter(text, symbol, at + 1)
  if (symbol === '$') {
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

/** Comments may be nested. */
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
