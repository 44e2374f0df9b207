// Builds the pages that this package serves: each folder of src/pages with an index.html becomes one of pages/, with its script and its style as one
// file each, and Swagger UI is copied. Beside each script and style are its compressed forms. Files that are the same stay as they are; others are replaced in one step, so that a process which serves them,
// or a second one that builds, sees whole files only.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const root = dirname(fileURLToPath(import.meta.url))
const sources = join(root, 'src', 'pages')
const target = join(root, 'pages')

/** Neighbours of a file, which are sent in its place. */
const encodings = [
  ['.br', (contents) => brotliCompressSync(contents, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } })],
  ['.gz', (contents) => gzipSync(contents, { level: 9 })],
]

/** By path below `pages`. */
const files = new Map()

for (const { name } of readdirSync(sources, { withFileTypes: true }).filter(isPage)) {
  const from = join(sources, name)
  files.set(join(name, 'index.html'), readFileSync(join(from, 'index.html')))
  const { outputFiles } = await build({
    entryPoints: { page: join(from, 'page.ts'), style: join(from, 'page.css') },
    entryNames: 'page',
    outdir: join(target, name),
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    // The client from its sources: it may have no build yet.
    conditions: ['@twinwire/source'],
    logLevel: 'warning',
  })
  for (const { path, contents } of outputFiles) files.set(relative(target, path), Buffer.from(contents))
}

const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
for (const name of ['swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt', 'swagger-ui.css', 'LICENSE', 'NOTICE'])
  files.set(join('swagger', name), readFileSync(join(swagger, name)))

for (const [name, contents] of [...files]) {
  const path = join(target, name)
  replace(path, contents)
  if (/\.(?:js|css)$/.test(name))
    for (const [suffix, compress] of encodings) {
      files.set(name + suffix, null)
      if (!isNewer(path + suffix, path)) replace(path + suffix, compress(contents))
    }
}
for (const name of listFiles(target)) {
  // A hidden one may be of a build that runs now.
  if (!files.has(name) && !/(^|[\\/])\./.test(name)) rmSync(join(target, name), { force: true })
}

function isPage(entry) {
  return entry.isDirectory() && readdirSync(join(sources, entry.name)).includes('index.html')
}

function replace(path, contents) {
  if (readIfThere(path)?.equals(contents)) return
  mkdirSync(dirname(path), { recursive: true })
  const draft = join(dirname(path), `.${process.pid}.draft`)
  writeFileSync(draft, contents)
  renameSync(draft, path)
}

function isNewer(path, than) {
  const made = statSync(path, { throwIfNoEntry: false })
  return made !== undefined && made.mtimeMs >= statSync(than).mtimeMs
}

function readIfThere(path) {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}
