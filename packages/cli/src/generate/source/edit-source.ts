import ts from 'typescript'
import { ProjectError } from '../../project/project-error.ts'
import { compareSources } from './natural-order.ts'

const maxWidth = 120

/** Throws a ProjectError for what is not TypeScript. */
export function parseSource(path: string, text: string): ts.SourceFile {
  const { diagnostics = [] } = ts.transpileModule(text, { reportDiagnostics: true, fileName: path })
  const [first] = diagnostics
  if (first !== undefined)
    throw new ProjectError(`${path} cannot be parsed: ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}`)
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
}

/** The names that a file declares or imports at its top. */
export function readDeclaredNames(source: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>()
  const add = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.add(node.text)
    else ts.forEachChild(node, add)
  }
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement) && statement.importClause !== undefined) add(statement.importClause)
    if (ts.isVariableStatement(statement)) for (const { name } of statement.declarationList.declarations) add(name)
    const isNamed = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)
    if (isNamed && statement.name !== undefined) add(statement.name)
  }
  return names
}

/** `export const NAME = { … }`, also with `as const` or `satisfies`. Throws a ProjectError. */
export function findExportedObject(source: ts.SourceFile, name: string): ts.ObjectLiteralExpression {
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue
    if (!statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue
    for (const { name: declared, initializer } of statement.declarationList.declarations) {
      if (!ts.isIdentifier(declared) || declared.text !== name || initializer === undefined) continue
      const value = unwrap(initializer)
      if (ts.isObjectLiteralExpression(value)) return value
    }
  }
  throw new ProjectError(`${source.fileName} must have export const ${name} = { … }: write it with an object literal`)
}

function unwrap(node: ts.Expression): ts.Expression {
  const isWrapped = ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isParenthesizedExpression(node)
  return isWrapped ? unwrap(node.expression) : node
}

/** The list of the first call of `name`: `defineRoles(['a', 'b'])`. Throws a ProjectError. */
export function findArrayOfCall(source: ts.SourceFile, name: string): ts.ArrayLiteralExpression {
  let found: ts.ArrayLiteralExpression | null = null
  const visit = (node: ts.Node): void => {
    if (found !== null) return
    if (ts.isCallExpression(node) && node.expression.getText() === name) {
      const [list] = node.arguments
      if (list !== undefined) {
        const value = unwrap(list)
        if (ts.isArrayLiteralExpression(value)) found = value
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  if (found !== null) return found
  throw new ProjectError(`${source.fileName} must call ${name}([…]) with an array literal`)
}

/**
 * The text of the file with one more element in a literal, behind the element `after` (default: the last one). Comments and other elements
 * stay as they are; a line that would be too long is broken.
 */
export function insertElement(
  literal: ts.ObjectLiteralExpression | ts.ArrayLiteralExpression,
  element: string,
  after?: ts.Node,
): string {
  const source = literal.getSourceFile()
  const text = source.text
  const elements: readonly ts.Node[] = ts.isObjectLiteralExpression(literal) ? literal.properties : literal.elements
  const previous = after ?? elements.at(-1)
  const [open, close] = [literal.getStart() + 1, literal.getEnd() - 1]
  const lineStart = text.lastIndexOf('\n', literal.getStart()) + 1
  const indent = `${/^[ \t]*/.exec(text.slice(lineStart))?.[0] ?? ''}${indentOf(text)}`
  if (previous === undefined) {
    const inside = text.slice(open, close).trimEnd()
    if (inside.trim() === '')
      return splice(text, open, close, ts.isObjectLiteralExpression(literal) ? ` ${element} ` : element)
    return splice(text, open, close, `${inside}\n${indent}${element},\n${indent.slice(indentOf(text).length)}`)
  }
  const isMultiLine = text.slice(open, close).includes('\n')
  if (isMultiLine) return insertLine(text, { previous, element, close })
  const list = elements.flatMap((each) => (each === previous ? [each.getText(), element] : [each.getText()]))
  const line = splice(
    text,
    open,
    close,
    ts.isObjectLiteralExpression(literal) ? ` ${list.join(', ')} ` : list.join(', '),
  )
  const hasComment =
    text.slice(open, close).replace(/\s|,/g, '') !==
    elements
      .map((each) => each.getText())
      .join('')
      .replace(/\s|,/g, '')
  if (hasComment) return splice(text, previous.getEnd(), previous.getEnd(), `, ${element}`)
  if ((line.slice(lineStart).split('\n', 1)[0] ?? '').length <= maxWidth) return line
  return splice(
    text,
    open,
    close,
    `\n${list.map((each) => `${indent}${each},\n`).join('')}${indent.slice(indentOf(text).length)}`,
  )
}

interface LineInsertion {
  readonly previous: ts.Node
  readonly element: string
  /** Position of the closing bracket. */
  readonly close: number
}

/** Behind the line of `previous`, with its comment. */
function insertLine(text: string, { previous, element, close }: LineInsertion): string {
  const end = previous.getEnd()
  const comma = /^(?:\s|\/\*[\s\S]*?\*\/|\/\/[^\n]*\n)*,/.exec(text.slice(end, close))?.[0]
  const withComma = comma === undefined ? splice(text, end, end, ',') : text
  const behind = end + (comma ?? ',').length
  const rest = /^[^\n]*/.exec(withComma.slice(behind))?.[0] ?? ''
  const start = text.lastIndexOf('\n', previous.getStart()) + 1
  const indent = /^[ \t]*/.exec(text.slice(start))?.[0] ?? ''
  const isLineEnd = /^[ \t]*(?:\/\/.*|\/\*.*\*\/[ \t]*)?$/.test(rest)
  if (!isLineEnd) return splice(withComma, behind, behind, ` ${element},`)
  const at = behind + rest.length
  return splice(withComma, at, at, `\n${indent}${element},`)
}

function indentOf(text: string): string {
  return /^(?:\t| {2,})/m.exec(text)?.[0].startsWith('\t') === true ? '\t' : '  '
}

const splice = (text: string, from: number, to: number, insert: string): string =>
  `${text.slice(0, from)}${insert}${text.slice(to)}`

/** Adds a statement `import … from` or `export … from`, in the order of the others of its kind. */
export function insertFrom(source: ts.SourceFile, from: string, line: string): string {
  const { text } = source
  const isExport = line.startsWith('export')
  const others = source.statements.filter((statement): statement is ts.ImportDeclaration | ts.ExportDeclaration =>
    isExport
      ? ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined
      : ts.isImportDeclaration(statement),
  )
  const next = others.find((other) => compareSources(from, toSpecifier(other)) < 0)
  if (next !== undefined) return splice(text, next.getStart(), next.getStart(), `${line}\n`)
  const last = others.at(-1)
  if (last !== undefined) {
    const end = text.indexOf('\n', last.getEnd())
    return end === -1 ? `${text}\n${line}\n` : splice(text, end + 1, end + 1, `${line}\n`)
  }
  if (isExport) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`
  return `${line}\n\n${text}`
}

function toSpecifier(statement: ts.ImportDeclaration | ts.ExportDeclaration): string {
  const { moduleSpecifier } = statement
  return moduleSpecifier !== undefined && ts.isStringLiteralLike(moduleSpecifier) ? moduleSpecifier.text : ''
}
