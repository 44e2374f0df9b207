// What users pay in bytes, packages and type checking: measured, compared with `reports/sizes.json`, and shown on docs_site/sizes.md.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { gzipSync } from 'node:zlib'
import { command, root } from './copy.mjs'

export const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`
export const megabytes = (bytes) => `${(bytes / 1_000_000).toFixed(1)} MB`
const plain = (number) => String(number)
const inBytes = (bytes) => `${bytes} bytes`

/** `share` and `more` are what a figure may grow by over the last release: both together. */
const figures = {
  tarball: { title: 'tarball', show: kilobytes, share: 0.05, more: 3000 },
  unpacked: { title: 'unpacked', show: kilobytes, share: 0.05, more: 10_000 },
  installed: { title: 'installed alone', show: megabytes, share: 0.05, more: 2_000_000 },
  packages: { title: 'packages', show: plain, share: 0, more: 0 },
}
const others = {
  client: { title: 'the client, both wires', show: inBytes, share: 0.02, more: 0 },
  protobuf: { title: 'what protobuf adds to it', show: inBytes, share: 0.05, more: 0 },
  instantiations: { title: 'instantiations of the type checker for a route', show: plain, share: 0.03, more: 0 },
}

/** @param {string} folder a built checkout */
export async function measureOthers(folder) {
  const client = await bundle(folder, 'index')
  const together = await bundle(folder, 'index', 'protobuf')
  const printed = command(process.execPath, ['tests/types/cost.mjs'], { cwd: folder })
  const instantiations = Math.round(Number(/^per route ([\d.]+) over the schemas/m.exec(printed)?.[1]))
  return { client, protobuf: together - client, instantiations }
}

/** Bytes of a page that exports all of these, minified, in gzip. */
async function bundle(folder, ...names) {
  const { build } = createRequire(join(root, 'packages/client/package.json'))('esbuild')
  const { outputFiles } = await build({
    stdin: {
      contents: names.map((name) => `export * from './dist/${name}.js'`).join('\n'),
      resolveDir: join(folder, 'packages/client'),
    },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  })
  return gzipSync(outputFiles[0].contents, { level: 9 }).length
}

/**
 * @param {{ packages: Record<string, Record<string, number>>, others: Record<string, number> }} before
 * @param {{ packages: Record<string, Record<string, number>>, others: Record<string, number> }} now
 * @returns {string[]} what grew over its bound, what is not a number, and what the other has not
 */
export function compareSizes(before, now) {
  const faults = Object.keys(others).flatMap((key) =>
    grown(others[key], others[key].title, before.others[key], now.others[key]),
  )
  for (const name of new Set([...Object.keys(before.packages), ...Object.keys(now.packages)])) {
    const [old, current] = [before.packages[name], now.packages[name]]
    if (!old || !current) faults.push(`${name} is ${old ? 'not measured any more' : 'new'}`)
    else
      for (const key of Object.keys(figures))
        faults.push(...grown(figures[key], `${name}: ${figures[key].title}`, old[key], current[key]))
  }
  return faults
}

function grown({ show, share, more }, what, before, now) {
  if (!Number.isFinite(now) || !Number.isFinite(before)) return [`${what} was not measured`]
  const limit = before * (1 + share) + more
  if (now <= limit) return []
  return [`${what} grew from ${show(before)} to ${show(now)}, and may be at most ${show(limit)}`]
}

/** The tables of the page. */
export function showSizes({ packages, others: found }) {
  const columns = Object.values(figures).map(({ title }) => title)
  const rows = Object.entries(packages).map(
    ([name, sizes]) =>
      `| \`${name}\` | ${Object.entries(figures)
        .map(([key, { show }]) => show(sizes[key]))
        .join(' | ')} |`,
  )
  return [
    `| package | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---').join('|')}|`,
    ...rows,
    '',
    '| | |',
    '|---|---|',
    ...Object.entries(others).map(([key, { title, show }]) => `| ${title} | ${show(found[key])} |`),
  ].join('\n')
}
