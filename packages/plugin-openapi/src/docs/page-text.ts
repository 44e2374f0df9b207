/** What a page has to know of the app. All are paths; null for what does not exist. */
export interface PageLinks {
  readonly openapi: string
  readonly asyncapi: string
  readonly http: string
  readonly websocket: string | null
  /** Null on a port of its own. */
  readonly root: string | null
}

/**
 * The text of a page at `path`, with all addresses relative to it, so that it works behind a proxy that adds a prefix. `folder`: the path that its files
 * have.
 *
 * @example
 * fillPage('<html><script src="page.js">', '/docs', '/docs/http', links) // <html lang="en" data-openapi="./openapi.json" …><script src="./docs/http/page.js">
 */
export function fillPage(html: string, path: string, folder: string, links: PageLinks): string {
  const attributes = Object.entries(links).map(
    ([name, to]) => ` data-${name}="${to === null ? '' : toRelative(path, to)}"`,
  )
  return html
    .replace(/<html[^>]*>/, `<html lang="en"${attributes.join('')}>`)
    .replaceAll(/(?<=\s(?:href|src)=")(?![a-z]+:|#|")[^"]+/g, (link) => {
      return toRelative(path, new URL(link, `http://localhost${folder}/`).pathname)
    })
}

/**
 * @example
 * toRelative('/docs/websocket', '/openapi.json') // '../openapi.json'
 */
export function toRelative(from: string, to: string): string {
  const base = from.split('/').slice(0, -1)
  const target = to.split('/')
  let same = 0
  while (same < base.length && same < target.length - 1 && base[same] === target[same]) same++
  const up = base.slice(same).map(() => '..')
  return [...(up.length === 0 ? ['.'] : up), ...target.slice(same)].join('/')
}
