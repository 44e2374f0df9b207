/**
 * `T` as a client receives it: dates, big integers and bytes are strings, undefined is null, and a type
 * without a JSON form is never (`protocol/json-value.ts`). A property that may be undefined may be missing.
 */
export type Jsonified<T> = unknown extends T
  ? unknown
  : T extends string | number | boolean | null
    ? T
    : T extends Date | bigint | Uint8Array
      ? string
      : T extends undefined | void
        ? null
        : T extends { toJSON(...args: never): infer J }
          ? Jsonified<J>
          : T extends NoJson
            ? never
            : T extends readonly unknown[]
              ? { [K in keyof T]: Jsonified<T[K]> }
              : T extends object
                ? JsonifiedObject<T>
                : never

type NoJson =
  | symbol
  | ((...args: never) => unknown)
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>

type JsonifiedObject<T> = Flat<
  { [K in keyof T as Kept<T, K> extends never ? never : Sure<T, K>]: Kept<T, K> } & {
    [K in keyof T as Kept<T, K> extends never ? never : Unsure<T, K>]?: Kept<T, K>
  }
>
// A mapped type, because it is resolved lazily: recursive types would never end.
type Flat<T> = { [K in keyof T]: T[K] }
/** The form of a property that is present. */
type Kept<T, K extends keyof T> = Jsonified<Exclude<T[K], undefined>>
/** `K` when its value is never undefined. A value of unknown type may be, but its key is declared as present. */
type Sure<T, K extends keyof T> = unknown extends T[K] ? K & JsonKey : undefined extends T[K] ? never : K & JsonKey
type Unsure<T, K extends keyof T> = Exclude<K & JsonKey, Sure<T, K>>
type JsonKey = string | number
