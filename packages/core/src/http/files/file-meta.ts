import { toDisposition } from './attachment.ts'
import { isActive } from './content-type.ts'

/** `content-disposition`; null for none. `inline`: null when it is not said. */
export function chooseDisposition(
  contentType: string,
  name: string,
  filename: string | null,
  inline: boolean | null,
): string | null {
  if (inline === true) return filename === null ? null : toDisposition('inline', filename)
  if (filename !== null) return toDisposition('attachment', filename)
  return inline === false || isActive(contentType) ? toDisposition('attachment', name) : null
}

/** It may be kept, and is requested before each use. */
export function defaultCacheControl(isPublic: boolean): string {
  return isPublic ? 'no-cache' : 'private, no-cache'
}
