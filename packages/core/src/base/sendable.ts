/**
 * `T`, the input type of a schema, as a client may send it. JSON has no dates, big integers or bytes: each goes over the wire as text, and the
 * server converts that text to what the schema expects. A client may pass the text, or the value, which the clients of this project convert:
 *
 * - a Date: ISO 8601 text, `2024-02-29T12:00:00.000Z`
 * - a bigint: decimal text, `9007199254740993`
 * - bytes (`Uint8Array`, Buffer): base64 text, `AQID`
 *
 * The server can only do so where it knows the structure of the schema, which is that of valibot: another one must convert the text itself.
 * A type without a JSON form (a function, a symbol, a Map, a Set) is never. All other types stay as they are.
 */
export type Sendable<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends Date
      ? string | Date
      : T extends bigint
        ? string | bigint
        : T extends Uint8Array
          ? string | Uint8Array
          : T extends NoJson
            ? never
            : { [K in keyof T]: Sendable<T[K]> }

type NoJson =
  | symbol
  | ((...args: never) => unknown)
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
