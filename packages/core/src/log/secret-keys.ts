/** A key that ends with one of these is secret, in any notation: `userPassword`, `refresh_token`, `X-Api-Key`. */
const endings = [
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'pwd',
  'token',
  'secret',
  'jwt',
  'apikey',
  'accesskey',
  'secretkey',
  'privatekey',
  'ssn',
  'socialsecuritynumber',
  'creditcard',
  'cardnumber',
  'cvv',
  'cvc',
  'authorization',
  'cookie',
]
/** A key that contains one of these anywhere, whatever separates its letters: `pass_word_hash`. */
const parts = ['password', 'passwd']
/** A key that contains one of these as a whole word is secret: `db_pwd`, `passwordHash`, but not `session`. */
const secretWords = new Set(['password', 'passwd', 'pwd', 'secret', 'secrets', 'ssn', 'cvv', 'cvc', 'jwt'])

/** Results by key: an application uses few keys, many times. */
const cache = new Map<string, boolean>()
const maxCached = 4096
const maxKeyLength = 128

/**
 * Whether a value under this key must be kept out of logs and audit records.
 *
 * @example
 * isSecretKey('accessToken') // true
 * isSecretKey('tokenCount') // false
 */
export function isSecretKey(key: string): boolean {
  const known = cache.get(key)
  if (known !== undefined) return known
  const secret = matchesSecret(key.slice(-maxKeyLength))
  if (key.length <= maxKeyLength) {
    if (cache.size >= maxCached) cache.clear()
    cache.set(key, secret)
  }
  return secret
}

function matchesSecret(key: string): boolean {
  const words = toLatin(key)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  if (words.some((word) => secretWords.has(word))) return true
  // `password2`
  const joined = words.join('').replace(/\d+$/, '')
  if (parts.some((part) => joined.includes(part))) return true
  const single = joined.endsWith('s') ? joined.slice(0, -1) : joined
  return endings.some((ending) => joined.endsWith(ending) || single.endsWith(ending))
}

/** Without accents, and wide letters as ordinary ones. */
function toLatin(key: string): string {
  return /^[\x20-\x7e]*$/.test(key) ? key : key.normalize('NFKD').replace(/\p{M}/gu, '')
}
