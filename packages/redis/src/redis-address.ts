/** One server. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  readonly username?: string
  readonly password?: string
  readonly db: number
}

/** What is wrong with a url, to follow its name in a message; null: nothing. */
export function findUrlProblem(url: string, defaultPort = 6379): string | null {
  const address = parseRedisUrl(url, defaultPort)
  return typeof address === 'string' ? address : null
}

/** The address, or what is wrong with the url. A query is refused: ioredis would read options from it that are set here. */
export function parseRedisUrl(value: string, defaultPort = 6379): RedisAddress | string {
  const url = URL.canParse(value) ? new URL(value) : null
  if (url === null || (url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '') {
    return `must be redis://user:password@host:${defaultPort}/0, or rediss:// for TLS`
  }
  if (url.search !== '' || url.hash !== '') return 'must not have a query or a hash: use the other options instead'
  const db = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1]
  if (db === undefined) return 'must have the number of a database as its path, or no path'
  const [username, password] = [url.username, url.password].map(decode)
  if (username === undefined || password === undefined) return 'has an invalid escape sequence: write % as %25'
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? defaultPort : Number(url.port),
    isTls: url.protocol === 'rediss:',
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    db: Number(db),
  }
}

function decode(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}
