import { lookup } from 'mrmime'

const unknownType = 'application/octet-stream'

/** By the extension of a name. Text is UTF-8, except XML, which says it itself. */
export function toContentType(name: string): string {
  // Of an extension alone it would be the name of a type.
  const type = name.includes('.')
    ? (lookup(name) ?? (/\.ico$/i.test(name) ? 'image/x-icon' : unknownType))
    : unknownType
  return type.startsWith('text/') && type !== 'text/xml' ? `${type}; charset=utf-8` : type
}

/** Does a browser run scripts of such a document when it shows it: HTML, XHTML, SVG, XML? */
export function isActive(contentType: string): boolean {
  return /^(?:text\/html|[^;]*[+/]xml|[^;]*[/+]xhtml|[^;]*\/xsl[^;]*|message\/rfc822|multipart\/)/i.test(
    contentType.trim(),
  )
}
