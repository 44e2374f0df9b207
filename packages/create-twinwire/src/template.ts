// The language of the templates. A line `//: if auth and not redis` keeps what follows, up to `//: else` or `//: end`, only if that is true; `#:` and
// `<!--: … -->` are the same in files with other comments. Within a line, `{{name}}` is a value, and `{{auth:…}}` text that is kept if `auth` is true.

/** What the conditions of a template may name, and its values. */
export interface Words {
  readonly facts: ReadonlyMap<string, boolean>
  readonly values: ReadonlyMap<string, string>
}

interface Block {
  /** The lines of the current branch are kept. */
  kept: boolean
  /** Line of its `if`. */
  readonly line: number
}

const directive = /^\s*(?:\/\/|#|<!--):\s*(if|else|end)\b\s*(.*?)\s*(?:-->)?$/
const word = /\{\{([a-zA-Z][a-zA-Z ]*)(?::([^}]*))?\}\}/g

/** Throws for what the template itself has wrong, with its line. */
export function fillTemplate(file: string, text: string, words: Words): string {
  const open: Block[] = []
  const lines: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const fail = (problem: string): never => {
      throw new Error(`${file}:${index + 1}: ${problem}`)
    }
    const [, kind, condition = ''] = directive.exec(line) ?? []
    const current = open.at(-1)
    if (kind === 'if') open.push({ kept: holds(condition, words, fail), line: index + 1 })
    else if (kind !== undefined && current === undefined) fail(`${kind} without an if`)
    else if (kind === 'else' && current !== undefined) current.kept = !current.kept
    else if (kind === 'end') open.pop()
    else if (open.every(({ kept }) => kept)) lines.push(fillLine(line, words, fail))
  }
  const [unclosed] = open
  if (unclosed !== undefined) throw new Error(`${file}:${unclosed.line}: this if has no end`)
  return lines.join('\n')
}

function fillLine(line: string, words: Words, fail: (problem: string) => never): string {
  return line.replace(word, (_all, name: string, text: string | undefined) => {
    if (text !== undefined) return holds(name, words, fail) ? text : ''
    return words.values.get(name) ?? fail(`there is no value ${JSON.stringify(name)}`)
  })
}

/** `a and not b or c`: `and` binds more closely. */
function holds(condition: string, { facts }: Words, fail: (problem: string) => never): boolean {
  return condition.split(' or ').some((all) =>
    all.split(' and ').every((each) => {
      const [, not, name = ''] = /^\s*(not )?\s*(\S+)\s*$/.exec(each) ?? []
      const fact = facts.get(name) ?? fail(`there is no option ${JSON.stringify(each.trim())}`)
      return fact !== (not !== undefined)
    }),
  )
}

/** Evaluates the condition of a folder of templates. */
export function isTrue(condition: string, words: Words): boolean {
  return holds(condition, words, (problem) => {
    throw new Error(problem)
  })
}
