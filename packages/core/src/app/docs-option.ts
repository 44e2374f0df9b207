import { createDocsLinks, type DocsLinks, isDocsUrl, isPage, noDocs, noLinks } from '../base/docs-links.ts'
import { option } from '../base/option.ts'
import type { OptionRule } from '../base/option-rule.ts'
import { badOption } from '../base/options.ts'
import type { Plugin } from '../plugin/plugin.ts'

/** What `createApp({ docs })` takes. */
export interface DocsOptions {
  /**
   * Where the pages of Twinwire are served, for the links at the end of boot errors, and in development of errors of calls:
   * `https://docs.example.com`. `off`: no links. Default: the variable `DOCS_URL`, else the homepage of the package.
   */
  readonly url?: string
}

export const docsUrlRule: OptionRule<string | undefined> = option.string({
  expects: `an http or https address without credentials, ? and #, or '${noDocs}'`,
  test: (text) => text === noDocs || isDocsUrl(text),
})

export const docsRule: OptionRule<false | { readonly url?: string } | undefined> = option.anyOf([
  option.choice([false]),
  option.object({ url: docsUrlRule }),
])

/** The addresses of one app. `docs` may be wrong: then the error that says so has links too. */
export function toDocsLinks(docs: unknown, plugins: unknown): DocsLinks {
  if (docs === false) return noLinks
  const given: unknown = typeof docs === 'object' && docs !== null && 'url' in docs ? docs.url : undefined
  const list: readonly unknown[] = Array.isArray(plugins) ? plugins : []
  return createDocsLinks(typeof given === 'string' ? given : undefined, new Map(list.flatMap(toPage)))
}

function toPage(plugin: unknown): (readonly [string, string])[] {
  if (typeof plugin !== 'object' || plugin === null || !('docs' in plugin) || !('name' in plugin)) return []
  return typeof plugin.docs === 'string' && isPage(plugin.docs) ? [[String(plugin.name), plugin.docs]] : []
}

/** @throws BootError `bad_option` for an address of a plugin that is none. */
export function checkPluginDocs(plugins: readonly Plugin[]): void {
  for (const { name, docs } of plugins)
    if (docs !== undefined && !isPage(docs))
      throw badOption(`Plugin '${name}'`, 'docs', 'must be an http or https address without credentials and #', docs)
}
