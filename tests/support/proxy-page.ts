import { readFileSync } from 'node:fs'

const page = readFileSync(new URL('../../docs_site/behind-a-proxy.md', import.meta.url), 'utf8')

/** The configuration of a proxy as docs_site/behind-a-proxy.md has it. `language`: of its code block. */
export function configOf(language: 'nginx' | 'haproxy' | 'caddyfile'): string {
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))]
  const [block] = blocks
  if (block?.[1] === undefined || blocks.length !== 1)
    throw new Error(`docs_site/behind-a-proxy.md needs one block of ${language}, it has ${blocks.length}`)
  return block[1]
}

/** Replaces what differs on this machine: addresses, ports, times, files. What is to be replaced must be there. */
export function adapt(config: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`The configuration in docs_site/behind-a-proxy.md has no ${from}`)
    return text.replaceAll(from, to)
  }, config)
}
