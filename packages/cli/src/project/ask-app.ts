import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isAbsolute, join, relative, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Terminal } from '../command.ts'
import { type AppReply, type AppRequest, type AppTask, type AppTasks, exportOf } from './app-task.ts'
import type { Project } from './project.ts'
import { settingsFile } from './project.ts'
import { ProjectError } from './project-error.ts'

export interface AskOptions {
  readonly project: Project
  /** Path of the module, from the working directory; default that of the project. */
  readonly tools: string | undefined
  readonly terminal: Terminal
  /** For doctor. */
  readonly json?: boolean
}

const isTypeScript = (path: string): boolean => /\.[mc]?tsx?$/.test(path)

// In the sources a module beside this one, in the build a file beside the chunks.
const program = fileURLToPath(
  new URL(isTypeScript(import.meta.url) ? './app-process.ts' : './app-process.js', import.meta.url),
)

/**
 * Imports the app in a process of its own, and returns its answer. What the app prints goes to the standard error, so that the standard output
 * has the answer alone. Throws a ProjectError.
 */
export async function askApp<Task extends AppTask>(
  task: Task,
  { project, tools, terminal, json = false }: AskOptions,
): Promise<AppTasks[Task]['answer']> {
  const path = tools === undefined ? join(project.root, project.paths.tools) : resolve(tools)
  const name = toName(path, project)
  if (!existsSync(path))
    throw new ProjectError(
      `${name} does not exist: it exports ${exportOf[task]}, which this command calls; another file: --tools, or "tools" in ${settingsFile}`,
    )
  const child = fork(program, {
    cwd: project.root,
    execArgv: [...process.execArgv, ...toLoader(path, name, project)],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  child.stdout?.on('data', (part) => terminal.err(String(part)))
  child.stderr?.on('data', (part) => terminal.err(String(part)))
  const request: AppRequest = { task, tools: path, toolsName: name, json }
  const reply = await new Promise<AppReply>((done, fail) => {
    let received: AppReply | null = null
    child.once('message', (message: AppReply) => {
      received = message
    })
    child.once('error', fail)
    child.once('close', (code, signal) => {
      if (received !== null) return done(received)
      fail(new ProjectError(`${name} ended the process (${signal ?? `exit code ${code}`}) before it had answered`))
    })
    // An app that ends at once closes the channel: 'close' reports it.
    child.send(request, () => {})
  })
  if ('failure' in reply) throw new ProjectError(reply.stack ?? reply.failure)
  if (!isAnswer<Task>(reply.answer)) throw new ProjectError(`${name} gave no answer to ${task}`)
  return reply.answer
}

/** The program beside this file has checked what it sends. */
function isAnswer<Task extends AppTask>(answer: unknown): answer is AppTasks[Task]['answer'] {
  return typeof answer === 'object' && answer !== null
}

function toName(path: string, { root }: Project): string {
  const name = relative(root, path)
  return name.startsWith('..') || isAbsolute(name) ? path : name.split('\\').join('/')
}

/** The arguments with which Node loads TypeScript: the tsx of the project; for the sources of this command its own. */
function toLoader(path: string, name: string, { root }: Project): string[] {
  const own = isTypeScript(program) ? [createRequire(import.meta.url).resolve('tsx')] : []
  const loaders = isTypeScript(path) ? [...own, findLoader(root, name)] : own
  return [...new Set(loaders)].flatMap((loader) => ['--import', pathToFileURL(loader).href])
}

function findLoader(root: string, name: string): string {
  try {
    return createRequire(join(root, 'package.json')).resolve('tsx')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND')) throw error
    throw new ProjectError(
      `${name} is TypeScript, and the package tsx is not installed here: npm install --save-dev tsx, or name a built file with --tools`,
    )
  }
}
