// The tables of docs_site/policies.md, made from `reports/stability.json` and `reports/versions.json`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './copy.mjs'

const page = 'docs_site/policies.md'
const titles = { node: 'Node.js', postgres: 'PostgreSQL', redis: 'Redis' }
const tables = { stability: showStability, versions: showVersions }

/** Writes the tables into the page. */
export function updatePolicies() {
  let text = readFileSync(join(root, page), 'utf8')
  for (const [name, show] of Object.entries(tables))
    text = text.replace(between(name), (_, begin, end) => begin + show() + end)
  writeFileSync(join(root, page), text)
}

/** @returns {string[]} */
export function faultsOfPolicies() {
  const text = readFileSync(join(root, page), 'utf8')
  return Object.entries(tables)
    .filter(
      ([name, show]) => between(name).exec(text)?.[0] !== `<!-- ${name}:begin -->\n${show()}\n<!-- ${name}:end -->`,
    )
    .map(
      ([name]) =>
        `${page}: the table "${name}" is not what reports/${name}.json says: npm run release:dry -- --only exports --update`,
    )
}

function between(name) {
  return new RegExp(`(<!-- ${name}:begin -->\\n)[\\s\\S]*?(\\n<!-- ${name}:end -->)`)
}

function showStability() {
  const { entryPoints, names } = read('stability')
  const rows = Object.entries(entryPoints).flatMap(([name, paths]) =>
    Object.entries(paths)
      .filter(([, level]) => level !== 'internal')
      .map(([path, level]) => {
        const exceptions = Object.entries(names[name]?.[path] ?? {}).map(([each, other]) => `\`${each}\`: ${other}`)
        const shown = path === 'bin' ? `the command \`${name}\`` : `\`${name}${path.slice(1)}\``
        return `| ${shown} | ${level} | ${exceptions.join(', ')} |`
      }),
  )
  return ['| import | level | except |', '|---|---|---|', ...rows].join('\n')
}

function showVersions() {
  const rows = read('versions').map(
    ({ kind, asked, version, tests, skipped, date }) =>
      `| ${asked.startsWith('valkey') ? 'Valkey' : titles[kind]} ${version} | ${tests} tests passed${skipped > 0 ? `, ${skipped} skipped` : ''} | ${date} |`,
  )
  return ['| version | result | date |', '|---|---|---|', ...rows].join('\n')
}

function read(name) {
  return JSON.parse(readFileSync(join(root, 'reports', `${name}.json`), 'utf8'))
}
