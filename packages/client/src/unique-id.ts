/** A random UUID: RFC 9562, 5.4. Pages without TLS have no `crypto.randomUUID`. */
export function uniqueId(): string {
  return (
    crypto.randomUUID?.() ??
    // A list of one number is read as that number.
    '00000000-0000-4000-8000-000000000000'.replace(/0/g, () =>
      (Number(crypto.getRandomValues(new Uint8Array(1))) % 16).toString(16),
    )
  )
}
