/** Fields of one connection also where its `connection` header does not name them (RFC 9110, 7.6.1). */
const always: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What the message itself is about: the URL is made of the one, the body has the other. */
const kept: ReadonlySet<string> = new Set(['host', 'content-length'])

/**
 * The names, in lower case, of the fields that are for one connection alone. `connection`: the value of that header, '' for none. Each field that
 * it names is one of them, as for a proxy (RFC 9110, 7.6.1), `cookie` and `authorization` too: who sends a message may leave
 * them out as well, and guards of core read the request as it was sent. A proxy must not pass on what a client sends as `connection`, so
 * the fields that it adds itself are not named there.
 */
export function connectionFields(connection: string): ReadonlySet<string> {
  if (connection === '') return always
  const names = connection.split(',').map((name) => name.trim().toLowerCase())
  const named = names.filter((name) => name !== '' && !kept.has(name) && !always.has(name))
  return named.length === 0 ? always : new Set([...always, ...named])
}
