/** `T` itself, not inferred from what the result is assigned to. Unlike `NoInfer` it is not shown, and is not in the way of what is made of it. */
export type Known<T> = [T][T extends unknown ? 0 : never]
