// A process of its own that imports the app: what the app prints or leaves open is not the command's, and TypeScript is loaded by the
// project's tsx.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { runDoctor } from '@twinwire/core'
import type { migrate, migrationStatus } from '@twinwire/core/database'
import { type AppReply, type AppRequest, exportOf } from './app-task.ts'
import { ProjectError } from './project-error.ts'

type Tool = () => unknown

/** What is asked of an app here. */
interface ReadyApp {
  ready(): Promise<void>
  close(): Promise<void>
  describe(): unknown
  manifest(): unknown
}

async function answer(request: AppRequest): Promise<unknown> {
  switch (request.task) {
    case 'describe':
      return withReadyApp(request, (app) => app.describe())
    case 'manifest':
      return withReadyApp(request, (app) => app.manifest())
    case 'doctor':
      return examine(request)
    case 'migrationStatus': {
      const options = await readMigrateOptions(request)
      return (await importDatabase(request)).migrationStatus(options)
    }
    case 'migrate': {
      const options = await readMigrateOptions(request)
      const { migrationStatus, migrate } = await importDatabase(request)
      const before = await migrationStatus(options)
      return { before, after: await migrate(options) }
    }
  }
}

async function withReadyApp(request: AppRequest, read: (app: ReadyApp) => unknown): Promise<unknown> {
  const created = await (await importTool(request))()
  const { app, close } = toApp(created, request)
  try {
    await app.ready()
    return read(app)
  } finally {
    await app.close()
    await close()
  }
}

function toApp(created: unknown, request: AppRequest): { app: ReadyApp; close: () => unknown } {
  if (isApp(created)) return { app: created, close: () => {} }
  if (typeof created === 'object' && created !== null && 'app' in created && isApp(created.app)) {
    const close = 'close' in created ? created.close : undefined
    if (typeof close === 'function') return { app: created.app, close: () => close.call(created) }
  }
  throw new ProjectError(
    `${exportOf[request.task]} of ${request.toolsName} must return what createApp() returns, or { app, close }`,
  )
}

function isApp(value: unknown): value is ReadyApp {
  return (['ready', 'close', 'describe', 'manifest'] as const).every((name) => hasMethod(value, name))
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function'
}

/** A missing package and settings that are refused are findings, so the app is imported within. */
async function examine(request: AppRequest): Promise<unknown> {
  const core: { runDoctor: typeof runDoctor } = await importOfProject('@twinwire/core', request)
  let text = ''
  const create = async () => {
    const app = await (await importTool(request))()
    if (isExaminable(app)) return app
    throw new ProjectError(`${exportOf.doctor} of ${request.toolsName} must return what createApp() returns`)
  }
  const { ok } = await core.runDoctor(create, {
    args: request.json ? ['--json'] : [],
    print: (report) => {
      text += report
    },
  })
  return { ok, text }
}

function isExaminable(value: unknown): value is Awaited<ReturnType<Parameters<typeof runDoctor>[0]>> {
  return hasMethod(value, 'doctor')
}

type MigrateOptions = Parameters<typeof migrate>[0]

async function readMigrateOptions(request: AppRequest): Promise<MigrateOptions> {
  const options = await (await importTool(request))()
  if (isMigrateOptions(options)) return options
  throw new ProjectError(
    `${exportOf.migrate} of ${request.toolsName} must return the options of migrate(): { url, migrations: new URL('../drizzle', import.meta.url) }`,
  )
}

/** `migrate` checks what is in them. */
function isMigrateOptions(value: unknown): value is MigrateOptions {
  return typeof value === 'object' && value !== null && 'migrations' in value
}

function importDatabase(
  request: AppRequest,
): Promise<{ migrate: typeof migrate; migrationStatus: typeof migrationStatus }> {
  return importOfProject('@twinwire/core/database', request)
}

async function importTool(request: AppRequest): Promise<Tool> {
  const name = exportOf[request.task]
  const module: unknown = await import(pathToFileURL(request.tools).href)
  const tool: unknown = typeof module === 'object' && module !== null ? Reflect.get(module, name) : undefined
  if (isTool(tool)) return tool
  throw new ProjectError(
    `${request.toolsName} exports no function ${name}: add it, as the page about the commands says`,
  )
}

function isTool(value: unknown): value is Tool {
  return typeof value === 'function'
}

/** The package of the project, not one of the command. */
async function importOfProject<T>(name: string, { tools, toolsName }: AppRequest): Promise<T> {
  let path: string
  try {
    path = createRequire(tools).resolve(name)
  } catch (error) {
    throw new ProjectError(
      `${name} cannot be imported from ${toolsName}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    )
  }
  const module = await import(pathToFileURL(path).href)
  // What `require` gets is a file that requires the module itself. Loaded by tsx it has the names, otherwise a default.
  return path.endsWith('.cjs') && 'default' in module ? module.default : module
}

async function toReply(request: AppRequest): Promise<AppReply> {
  try {
    return { answer: await answer(request) }
  } catch (error) {
    if (!(error instanceof Error)) return { failure: String(error), stack: null }
    const isPlain = error instanceof ProjectError || error.name === 'BootError'
    const docs = 'docs' in error && typeof error.docs === 'string' ? ` (${error.docs})` : ''
    return { failure: `${error.message}${docs}`, stack: isPlain ? null : (error.stack ?? null) }
  }
}

process.once('message', (request: AppRequest) => {
  void toReply(request).then((reply) => process.send?.(reply, () => process.exit(0)))
})
// The command was ended.
process.once('disconnect', () => process.exit(2))
