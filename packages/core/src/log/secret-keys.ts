/** A key that ends so holds a secret, however it is written: `userPassword`, `refresh_token`, `X-Api-Key`. */
const endings = [
  'password',
  'passwd',
  'passphrase',
  'token',
  'secret',
  'apikey',
  'privatekey',
  'socialsecuritynumber',
  'creditcard',
  'cardnumber',
  'authorization',
  'cookie',
]
/** Short ones, and those that name a secret wherever they stand, count as a word only: `db_pwd`, `passwordHash`, but not `session`. */
const words = new Set(['password', 'passwd', 'pwd', 'secret', 'secrets', 'ssn', 'cvv', 'cvc', 'jwt'])

/** The keys of an application are few and come again and again. */
const judged = new Map<string, boolean>()
const maxJudged = 4096
const maxKeyLength = 128

/**
 * Does a value under this key stay out of logs and audits?
 *
 * @example
 * isSecretKey('accessToken') // true
 * isSecretKey('tokenCount') // false
 */
export function isSecretKey(key: string): boolean {
  const known = judged.get(key)
  if (known !== undefined) return known
  const secret = judge(key.slice(-maxKeyLength))
  if (key.length <= maxKeyLength) {
    if (judged.size >= maxJudged) judged.clear()
    judged.set(key, secret)
  }
  return secret
}

function judge(key: string): boolean {
  const parts = key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  if (parts.some((part) => words.has(part))) return true
  const joined = parts.join('')
  const single = joined.endsWith('s') ? joined.slice(0, -1) : joined
  return endings.some((ending) => joined.endsWith(ending) || single.endsWith(ending))
}
