/**
 * The fields of a first frame `{"type": "<type>", …}`; null for anything else: binary, no JSON, no object, another type. Who
 * handles it checks its fields.
 */
export function readHandshake(
  data: ArrayBuffer,
  binary: boolean,
  type: string,
): Readonly<Record<string, unknown>> | null {
  if (binary) return null
  let frame: unknown
  try {
    frame = JSON.parse(Buffer.from(data).toString())
  } catch {
    return null
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return null
  // An object from JSON.parse has string keys and no other kind.
  const fields = frame as Record<string, unknown>
  return fields.type === type ? fields : null
}
