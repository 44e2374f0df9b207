import { type DocsLinks, ofPlugin, toAddress } from '../base/docs-links.ts'
import type { Environment } from '../base/environment.ts'
import { errorCodes } from '../errors/codes.ts'

/** What the message of an error ends with: ` (https://…)`, or nothing for a code that no page has. */
export type ErrorLink = (code: string) => string

/** Null outside of development, and where no page is known: then messages are as they are. */
export function createErrorLink(environment: Environment, links: DocsLinks): ErrorLink | null {
  if (environment !== 'dev' || (links.url === null && links.ofPlugins.size === 0)) return null
  return (code) => {
    const isCore = Object.hasOwn(errorCodes, code)
    const address = isCore ? toAddress(`wire-protocol#${code}`, links) : ofPlugin(code, links)
    return address === null ? '' : ` (${address})`
  }
}
