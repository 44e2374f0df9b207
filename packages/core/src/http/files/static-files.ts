import { realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BootError } from '../../base/boot-error.ts'
import { option } from '../../base/option.ts'
import type { OptionRules } from '../../base/option-rule.ts'
import { badOption, checkOptions } from '../../base/options.ts'
import type { Access } from '../../call/call.ts'
import { toFolder } from '../../call/file-result.ts'
import { checkPrefix } from '../../route/from-fetch.ts'
import type { Route } from '../../route/route.ts'
import { accessRule, deadlineRule, toRouteDefinition } from '../../route/route-definition.ts'
import type { Use, ValidUse } from '../../route/use.ts'
import type { Encoding } from '../compression/accept-encoding.ts'
import { isCompressible } from '../compression/compressible.ts'
import { toContentType } from './content-type.ts'
import { FileFolder } from './file-folder.ts'
import { chooseDisposition, defaultCacheControl } from './file-meta.ts'
import { isServable } from './file-name.ts'
import type { FileMeta } from './representation.ts'
import { StaticFile, type StaticMount } from './static-file.ts'

/** What `staticFiles` takes. */
export interface StaticFilesOptions<U extends Use = Use> {
  /** The folder. A relative one is below the working directory. A link is followed when the app is created, and not again. */
  readonly root: string | URL
  /** The path that the folder has: `/assets`, or `/` for all that no route of the app has. */
  readonly prefix: `/${string}`
  /** It has no default: say whether callers without an identity may read the files. */
  readonly access: Access
  /**
   * They run before a file is looked for. The input that a check sees is the name below the root, decoded: `docs/a b.txt`, with a slash at its end for
   * the index of a folder (`docs/`), and empty for the root. A path that cannot be decoded is refused before.
   */
  readonly use?: U & ValidUse<U, string>
  /** The file that a folder is answered with; false for none. Default `index.html`. */
  readonly index?: string | false
  /**
   * The file that a navigation (a GET whose `Accept` has `text/html`) to what does not exist is answered with, for an app of one page that has paths of its
   * own. Default: `not_found`.
   */
  readonly fallback?: string
  /** `cache-control` of every file that is not immutable. */
  readonly cacheControl?: string
  /** The same in seconds. Default: a file may be kept, and is requested before each use. */
  readonly maxAgeSeconds?: number
  /** Names, as `assets/app-3f9a1c.js`, whose content never changes: they are kept for a year. The fallback is none. */
  readonly immutable?: RegExp | ((name: string) => boolean)
  /**
   * Encodings of a file that are beside it, as `site.css.br`, not older and smaller than it. Default `['br', 'gzip']`, the latter as `site.css.gz`;
   * with `userContent` none: the neighbour of a file may be that of another user.
   */
  readonly precompressed?: readonly Encoding[]
  /** Compresses text and what else becomes smaller, once for each file and encoding that is in memory. Default true. */
  readonly compression?: boolean
  /** True for files that users have sent: a browser saves HTML, SVG and XML instead of running their scripts. Default false. */
  readonly userContent?: boolean
  /** Small files are kept in memory, and compared with the disk once a second. False: none is. */
  readonly memory?: FileMemoryOptions | false
  readonly summary?: string
  /** Milliseconds until the first byte must be sent; 0 for none. Default: the app's. */
  readonly deadlineMs?: number
}

export interface FileMemoryOptions {
  /** Of one file. Default 65,536. One that is compressed here is kept up to 1 MiB. */
  readonly maxFileBytes?: number
  /**
   * Of all files of this folder, with their encoded forms. Each file and each encoded form of it counts as its bytes and 10,240 more, for what else is
   * kept with it. Default 33,554,432.
   */
  readonly maxBytes?: number
}

const encodingsRule = option.list({
  of: option.choice(['br', 'gzip'], { required: true }),
  expects: 'a list of br and gzip',
})
const memoryRules = {
  maxFileBytes: option.bytes({ default: 64 * 1024 }),
  maxBytes: option.bytes({ default: 32 * 1024 * 1024 }),
} satisfies OptionRules<FileMemoryOptions>

const fileName = option.string({ expects: 'the name of a file below the root', test: (name) => isServable(name) })
const rules = {
  root: option.unchecked(),
  prefix: option.unchecked(),
  access: accessRule,
  use: option.unchecked(),
  index: option.anyOf([option.choice([false]), fileName], { default: 'index.html' }),
  fallback: fileName,
  cacheControl: option.string({
    expects: 'visible ASCII on one line',
    test: (value) => /^[\x21-\x7e][\x20-\x7e]*$/.test(value),
  }),
  maxAgeSeconds: option.integer({ max: 31_536_000 }),
  immutable: option.anyOf([
    option.custom({ expects: 'a RegExp', is: (value) => value instanceof RegExp }),
    option.callback<(name: string) => boolean>(),
  ]),
  precompressed: encodingsRule,
  compression: option.flag({ default: true }),
  userContent: option.flag({ default: false }),
  memory: option.anyOf([option.choice([false]), option.object(memoryRules)]),
  summary: option.string({ expects: 'a string', test: () => true, default: '' }),
  deadlineMs: deadlineRule,
} satisfies OptionRules<StaticFilesOptions>

/**
 * Serves the files of a folder, for `endpoints`: GET and HEAD of every path below the prefix that no route of the app has. Ranges and conditional
 * requests are answered. What is hidden (a dot at the beginning of a segment), leads out of the folder or is not a file is `not_found`. The folder
 * must exist when the app is created.
 *
 * @throws BootError `bad_option`, `unknown_option`, `bad_path`, `bad_route`
 *
 * @example
 * createApp({
 *   pkgIds: {},
 *   routes: {},
 *   endpoints: [staticFiles({ root: 'public', prefix: '/', access: 'public', immutable: /-[0-9a-f]{8}\.\w+$/ })],
 * })
 */
export function staticFiles<const U extends Use = []>(
  options: StaticFilesOptions<U>,
): Route<undefined, unknown, 'stream'> {
  const { prefix } = options
  const who = `staticFiles('${prefix}')`
  checkPrefix(prefix, who)
  const checked = checkOptions(who, options, rules)
  const { access, summary, deadlineMs, index, fallback = null } = checked
  if (access === undefined)
    throw badOption(
      who,
      'access',
      "must be said: 'public' for any caller, 'authenticated' for callers with an identity",
      access,
    )
  if (checked.cacheControl !== undefined && checked.maxAgeSeconds !== undefined)
    throw badOption(who, 'maxAgeSeconds', 'must be left out beside cacheControl, which says it', checked.maxAgeSeconds)
  const root = toRoot(options.root, who)
  let folder: FileFolder | null = null
  const open = (): FileFolder => {
    if (folder === null) throw new Error(`${who} was not checked`)
    return folder
  }
  const mount: StaticMount = { root, folder: open, index: index === false ? null : index, fallback }
  const definition = toRouteDefinition(
    {
      summary,
      access,
      ...(deadlineMs !== undefined && { deadlineMs }),
      handler: (name: string) => new StaticFile(mount, name),
    },
    options.use ?? [],
  )
  const { compression, userContent } = checked
  const precompressed = checked.precompressed ?? (userContent ? [] : (['br', 'gzip'] as const))
  const memory = checked.memory ?? { maxFileBytes: 64 * 1024, maxBytes: 32 * 1024 * 1024 }
  const meta = createMeta({ ...checked, precompressed, access, fallback })
  const checkRoot = (): void => {
    checkFolder(root, fallback, who)
    const settings = { precompressed, compression, memory: memory === false ? null : memory, meta }
    folder ??= new FileFolder(realpathSync.native(root), settings)
  }
  const base = prefix === '/' ? '' : prefix
  return {
    kind: 'route',
    definition: Object.freeze({
      ...definition,
      http: { route: `GET ${base}/*` as const },
      files: { prefix: base, checkRoot },
    }),
  }
}

interface MetaOptions {
  readonly access: Access
  readonly cacheControl?: string | undefined
  readonly maxAgeSeconds?: number | undefined
  readonly immutable?: RegExp | ((name: string) => boolean) | undefined
  readonly fallback: string | null
  readonly precompressed: readonly Encoding[]
  readonly compression: boolean
  readonly userContent: boolean
}

function createMeta(options: MetaOptions): (name: string) => FileMeta {
  const { access, maxAgeSeconds, immutable, fallback, precompressed, compression, userContent } = options
  const scope = access === 'public' ? 'public' : 'private'
  const usual =
    options.cacheControl ??
    (maxAgeSeconds === undefined ? defaultCacheControl(access === 'public') : `${scope}, max-age=${maxAgeSeconds}`)
  const isImmutable = (name: string): boolean => {
    // It is the answer to other paths too, whose file may exist later.
    if (name === fallback) return false
    // `test` of one with the flag g or y would remember where it stopped.
    return immutable instanceof RegExp ? name.search(immutable) !== -1 : (immutable?.(name) ?? false)
  }
  const encodes = compression || precompressed.length > 0
  return (name) => {
    const contentType = toContentType(name)
    return {
      contentType,
      cacheControl: isImmutable(name) ? `${scope}, max-age=31536000, immutable` : usual,
      disposition: userContent ? chooseDisposition(contentType, name, null, null) : null,
      vary: encodes && isCompressible(contentType) ? 'accept-encoding' : null,
    }
  }
}

function toRoot(root: string | URL, who: string): string {
  try {
    return toFolder(root, who)
  } catch (error) {
    throw new BootError('bad_option', error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function checkFolder(root: string, fallback: string | null, who: string): void {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new BootError('bad_option', `${who}: the root ${root} is not a folder: create it, or correct the path`)
  if (fallback !== null && statSync(join(root, fallback), { throwIfNoEntry: false })?.isFile() !== true)
    throw new BootError(
      'bad_option',
      `${who}: the fallback ${fallback} is not a file in ${root}: create it, or correct the name`,
    )
}
