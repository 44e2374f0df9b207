// Links between the pages of the repository lead to files and headings that exist.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pagesOf = (folder: string, recursive = false): readonly string[] =>
  readdirSync(join(root, folder), { recursive, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !/node_modules|\.vitepress|^reference[/\\]/.test(file))
    .map((file) => join(folder, file))
const packages = readdirSync(join(root, 'packages')).flatMap((name) => pagesOf(join('packages', name)))
const pages = [...pagesOf('.'), ...pagesOf('docs_site', true), ...pagesOf('examples/authors'), ...packages]

const textOf = (page: string): string => readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```/g, '')

/** As GitHub makes anchors of headings. */
function anchorsOf(page: string): readonly string[] {
  const headings = textOf(page).matchAll(/^#+ (.*)$/gm)
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

test.each(pages)('%s puts no token into an address [defect 11]', (page) => {
  const addresses = readFileSync(join(root, page), 'utf8').match(/[?&](?:access_token|token|authorization)=/gi)
  expect(addresses).toBeNull()
})

test.each(pages)('the links of %s [defect 81]', (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  const broken = links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : join(dirname(page), path)
    if (!existsSync(join(root, target))) return true
    return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor)
  })
  expect(broken).toEqual([])
})
