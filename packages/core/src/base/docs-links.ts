import process from 'node:process'

/** `homepage` of package.json, which a test compares. Null while it has none: then links need an address. */
export const homepage: string | null = null

/** Where pages about codes are. */
export interface DocsLinks {
  /** Where the pages of Twinwire are served, without a slash at the end; null: not known, or links are off. */
  readonly url: string | null
  /** Addresses of pages by the name of a plugin, which begins its codes. */
  readonly ofPlugins: ReadonlyMap<string, string>
}

/** An address of the pages of Twinwire, as an option or as the variable `DOCS_URL`. */
export const isDocsUrl = (text: string): boolean => /^https?:\/\//.test(text) && URL.canParse(text)

/** What `DOCS_URL` is to turn links off. */
export const noDocs = 'off'

/** Without an address of its own: `DOCS_URL`, which is read when it is needed, else the homepage. */
export function toDocsUrl(given?: string): string | null {
  const url = given ?? (process.env.DOCS_URL || homepage)
  return url === null || !isDocsUrl(url) ? null : url.replace(/\/+$/, '')
}

/** The anchor of the heading of a code, as the viewer of the repository and the site make it: without dots. */
export const toAnchor = (code: string): string => code.replaceAll('.', '')

/** The address of `page`, which is absolute, or one of Twinwire. Null: links are off, or the address is not known. */
export function toAddress(page: string, url: string | null): string | null {
  if (isDocsUrl(page)) return page
  return url === null ? null : `${url}/${page}`
}

/** The address about a code of a plugin with pages of its own, whose name begins it; else null. */
export function ofPlugin(code: string, { ofPlugins, url }: DocsLinks): string | null {
  const page = ofPlugins.get(code.slice(0, Math.max(0, code.indexOf('.'))))
  return page === undefined ? null : toAddress(`${page}#${toAnchor(code)}`, url)
}
