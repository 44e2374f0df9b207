/** The paths at which two values of JSON differ, with both values: `routes.GET.http: "GET /a" -> "GET /b"`. */
export function findJsonChanges(old: unknown, now: unknown, path: readonly string[] = []): readonly string[] {
  if (isRecord(old) && isRecord(now)) {
    const names = [...new Set([...Object.keys(old), ...Object.keys(now)])]
    return names.flatMap((name) => findJsonChanges(own(old, name), own(now, name), [...path, name]))
  }
  if (JSON.stringify(old) === JSON.stringify(now)) return []
  return [`${path.join('.') || 'all of it'}: ${toText(old)} -> ${toText(now)}`]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

function toText(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value)
}
