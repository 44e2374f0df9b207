// Writes the reference: a page for each entry point of the packages, from their declarations and comments. Run by `npm run docs`.
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Application, Converter, OptionDefaults, ReflectionKind, type TypeDocOptions } from 'typedoc'
import { MarkdownPageEvent, type PluginOptions } from 'typedoc-plugin-markdown'
import { entryPoints } from './entry-points.ts'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const out = path('../reference')

const options: TypeDocOptions & Partial<PluginOptions> = {
  plugin: ['typedoc-plugin-markdown'],
  entryPoints: entryPoints.map(({ source }) => source),
  tsconfig: path('../../tsconfig.json'),
  readme: 'none',
  out,
  cleanOutputDir: true,
  // Types are checked elsewhere, and an error of a type does not change what is written here.
  skipErrorChecking: true,
  blockTags: [...OptionDefaults.blockTags, '@alias'],
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  outputFileStrategy: 'modules',
  entryFileName: 'index',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  expandObjects: true,
  sanitizeComments: true,
  indexFormat: 'table',
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
}

const app = await Application.bootstrapWithPlugins(options)
// They have the names of files: those by which they are imported are meant.
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
    const entry = entryPoints.find(({ source }) =>
      source.replace(/(?:\/index)?\.ts$/, '').endsWith(`/packages/${module.name}`),
    )
    if (entry !== undefined) module.name = entry.page
  }
})
app.renderer.on(MarkdownPageEvent.END, (page) => {
  if (page.contents === undefined) return
  const entry = entryPoints.find((each) => `${each.page}.md` === page.url)
  page.contents = page.contents.replace(/^# .*/, `# ${entry?.name ?? 'Reference'}`)
})
const project = await app.convert()
if (project === undefined || app.logger.hasErrors()) process.exit(1)
await app.generateOutputs(project)
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1)
