import process from 'node:process'

/** `homepage` of package.json, which a test compares. Null while it has none: then links need an address. */
export const homepage: string | null = null

/** Where pages about codes are. */
export interface DocsLinks {
  /** No link is shown, also none that a plugin or an error names. */
  readonly isOff: boolean
  /** Where the pages of Twinwire are served, without a slash at the end; null: not known, or links are off. */
  readonly url: string | null
  /** Addresses of pages by the name of a plugin, which begins its codes. */
  readonly ofPlugins: ReadonlyMap<string, string>
}

/** An address of a page that messages may end with: callers read them, and a log has a line for each. */
function isAddress(text: string): boolean {
  if (!/^https?:\/\/[^\s\p{C}"<>\\]+$/iu.test(text) || !URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username === '' && password === ''
}

/** An address that the anchor of a code can follow. */
export const isPage = (text: string): boolean => isAddress(text) && !text.includes('#')

/** An address that pages of Twinwire can follow, as an option or as the variable `DOCS_URL`. */
export const isDocsUrl = (text: string): boolean => isPage(text) && !text.includes('?')

/** What `DOCS_URL` is to turn links off. */
export const noDocs = 'off'

export const noLinks: DocsLinks = { isOff: true, url: null, ofPlugins: new Map() }

/** Without an address of its own: `DOCS_URL`, which is read when it is needed, else the homepage. */
export function createDocsLinks(given?: string, ofPlugins: DocsLinks['ofPlugins'] = new Map()): DocsLinks {
  const url = given ?? (process.env.DOCS_URL || homepage)
  if (url === noDocs) return noLinks
  return { isOff: false, url: url === null || !isDocsUrl(url) ? null : url.replace(/\/+$/, ''), ofPlugins }
}

/** The anchor of the heading of a code, as the viewer of the repository and the site make it: without dots. */
export const toAnchor = (code: string): string => code.replaceAll('.', '')

/** The address of `page`, which is absolute, or one of Twinwire. Null: links are off, or the address is not known. */
export function toAddress(page: string, { isOff, url }: DocsLinks): string | null {
  if (isOff) return null
  if (/^[a-z][a-z\d+.-]*:/i.test(page)) return isAddress(page) ? page : null
  return url === null ? null : `${url}/${page}`
}

/** The address about a code of a plugin with pages of its own, whose name begins it; else null. */
export function ofPlugin(code: string, links: DocsLinks): string | null {
  const page = links.ofPlugins.get(code.slice(0, Math.max(0, code.indexOf('.'))))
  return page === undefined ? null : toAddress(`${page}#${toAnchor(code)}`, links)
}
