import { BootError } from '../base/boot-error.ts'

/**
 * A pattern of topics: a name, with `{parameter}` for whole segments between colons, with `*` at its end for anything, or with both:
 * `news`, `ticket:{id}`, `author:*`, `team:{team}:*`.
 */
export interface TopicPattern {
  readonly text: string
  /** Names of its parameters, in order. */
  readonly parameters: readonly string[]
  /** Which pattern rules a topic that several fit: the first of the greater rank. */
  readonly rank: readonly [form: number, literalLength: number]
  matches(topic: string): boolean
  /** Null for a topic that it does not fit. */
  read(topic: string): Readonly<Record<string, string>> | null
}

/** A character, `parameter` (one or more characters but colons), or `rest` (any characters). */
type Token = { readonly kind: 'literal'; readonly character: string } | { readonly kind: 'parameter' | 'rest' }

const forms = { name: 2, parameters: 1, prefix: 0 } as const
const parameterName = /^[A-Za-z_]\w*$/

/**
 * @param subject - What the pattern belongs to, for messages: `createApp(): topics['news']`.
 * @throws BootError `bad_option`
 */
export function parsePattern(text: string, subject: string): TopicPattern {
  const refuse = (problem: string): never => {
    throw new BootError('bad_option', `${subject}: ${problem}`)
  }
  if (text.startsWith('@')) refuse("names that begin with '@' are those of core, such as @me: rename it")
  const star = text.indexOf('*')
  if (star !== -1 && star !== text.length - 1) refuse("a pattern may have only one '*', at its end")
  const isPrefix = star !== -1
  const parts = (isPrefix ? text.slice(0, -1) : text).split(':')
  const parameters: string[] = []
  for (const [i, part] of parts.entries()) {
    if (!/[{}]/.test(part)) continue
    const isWhole = part.startsWith('{') && part.endsWith('}') && !(isPrefix && i === parts.length - 1)
    const name = part.slice(1, -1)
    if (!isWhole || !parameterName.test(name))
      refuse("a parameter is a whole segment between colons, '{' + a name of letters, digits and _ + '}'")
    if (parameters.includes(name)) refuse(`the parameter '${name}' occurs twice: rename one`)
    parameters.push(name)
  }
  const tokens = toTokens(parts, isPrefix)
  const literals = tokens.filter(({ kind }) => kind === 'literal').length
  const form = isPrefix ? forms.prefix : parameters.length > 0 ? forms.parameters : forms.name
  return createPattern(text, parameters, [form, literals])
}

/** Negative if `a` comes before `b`; 0 for equal ranks. */
export function comparePatterns(
  { rank: [formA, lengthA] }: TopicPattern,
  { rank: [formB, lengthB] }: TopicPattern,
): number {
  return formB - formA || lengthB - lengthA
}

/** Is there a topic that both fit? */
export function overlap(a: TopicPattern, b: TopicPattern): boolean {
  const [left, right] = [toStates(a.text), toStates(b.text)]
  const seen = new Set<string>()
  // Pairs of places in the two patterns that one text can lead to.
  const open: [number, number][] = [[0, 0]]
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [i, j] = pair
    if (seen.has(`${i} ${j}`)) continue
    seen.add(`${i} ${j}`)
    if (left.isEnd(i) && right.isEnd(j)) return true
    for (const from of left.steps(i))
      for (const to of right.steps(j)) if (haveCommon(from.token, to.token)) open.push([from.next, to.next])
  }
  return false
}

function createPattern(text: string, parameters: readonly string[], rank: TopicPattern['rank']): TopicPattern {
  if (parameters.length === 0) {
    const prefix = text.endsWith('*') ? text.slice(0, -1) : null
    const matches = (topic: string): boolean => (prefix === null ? topic === text : topic.startsWith(prefix))
    return { text, parameters, rank, matches, read: (topic) => (matches(topic) ? {} : null) }
  }
  const source = text.replace(/[.+?^$()|[\]\\/]/g, '\\$&').replace(/\{\w+\}/g, '([^:]+)')
  const expression = new RegExp(`^${text.endsWith('*') ? source.slice(0, -1) : `${source}$`}`)
  return {
    text,
    parameters,
    rank,
    matches: (topic) => expression.test(topic),
    read(topic) {
      const found = expression.exec(topic)
      return found === null ? null : Object.fromEntries(parameters.map((name, i) => [name, found[i + 1] ?? '']))
    },
  }
}

function toTokens(parts: readonly string[], isPrefix: boolean): readonly Token[] {
  const tokens = parts.flatMap((part, i): Token[] => {
    const own: Token[] = part.startsWith('{')
      ? [{ kind: 'parameter' }]
      : [...part].map((character) => ({ kind: 'literal', character }))
    return i === 0 ? own : [{ kind: 'literal', character: ':' }, ...own]
  })
  return isPrefix ? [...tokens, { kind: 'rest' }] : tokens
}

interface States {
  /** May a topic end at this place? */
  isEnd(place: number): boolean
  /** Which characters may come at this place, and where they lead. */
  steps(place: number): readonly { readonly token: Token; readonly next: number }[]
}

/** Place 2n is before token n, place 2n + 1 in it: a parameter that has a character and may have more. */
function toStates(text: string): States {
  const isPrefix = text.endsWith('*')
  const tokens = toTokens((isPrefix ? text.slice(0, -1) : text).split(':'), isPrefix)
  const steps: States['steps'] = (place) => {
    const index = Math.floor(place / 2)
    const token = tokens[index]
    if (token === undefined) return []
    if (token.kind === 'literal') return [{ token, next: place + 2 }]
    if (token.kind === 'rest') return [{ token, next: place }]
    const more = { token, next: 2 * index + 1 }
    return place % 2 === 0 ? [more] : [more, ...steps(2 * index + 2)]
  }
  return {
    steps,
    isEnd(place) {
      const rest = tokens.slice(place % 2 === 0 ? place / 2 : (place + 1) / 2)
      return rest.every(({ kind }) => kind === 'rest')
    },
  }
}

function haveCommon(a: Token, b: Token): boolean {
  if (a.kind === 'rest' || b.kind === 'rest') return true
  if (a.kind === 'literal' && b.kind === 'literal') return a.character === b.character
  return ![a, b].some((token) => token.kind === 'literal' && token.character === ':')
}
