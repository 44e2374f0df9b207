/** `T` as it arrives at the other end of the wire: dates, big integers and bytes are strings there (`protocol/json-value.ts`). */
export type Jsonified<T> = unknown extends T
  ? unknown
  : T extends string | number | boolean | null
    ? T
    : T extends Date | bigint | Uint8Array
      ? string
      : T extends { toJSON(): infer J }
        ? Jsonified<J>
        : T extends undefined | symbol | ((...args: never) => unknown)
          ? never
          : T extends readonly (infer _Item)[]
            ? { [K in keyof T]: T[K] extends undefined ? null : Jsonified<T[K]> }
            : T extends object
              ? JsonifiedObject<T>
              : never

type JsonifiedObject<T> = {
  [K in keyof T as K extends symbol ? never : Jsonified<Exclude<T[K], undefined>> extends never ? never : K]: Jsonified<
    Exclude<T[K], undefined>
  >
}
