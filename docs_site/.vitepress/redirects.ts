import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Addresses that are guessed, and the pages that readers mean by them. */
export const redirects: Readonly<Record<string, string>> = {
  authentication: 'auth',
  authorization: 'auth#3-roles',
  events: 'topics#events',
  faq: 'troubleshooting',
  'getting-started': 'quick-start',
  install: 'installing',
  middleware: 'steps',
  presence: 'topics#presence-who-is-connected-on-all-nodes',
  websocket: 'wire-protocol',
}

/** A page for each of them, that redirects: any server of files can serve it. Fails when there is a real page. */
export async function writeRedirects(folder: string): Promise<void> {
  for (const [name, target] of Object.entries(redirects))
    await writeFile(join(folder, `${name}.html`), toPage(target), { flag: 'wx' })
}

const toPage = (target: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Twinwire: ${target}</title>
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="0; url=./${target}">
<p>This page is at <a href="./${target}">${target}</a>.</p>
</html>
`
