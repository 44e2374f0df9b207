import * as v from 'valibot'

export const ItemSchema = v.object({
  id: v.number(),
  name: v.string(),
  amount: v.number(),
})
export type Item = v.InferOutput<typeof ItemSchema>

export const AddItemInput = v.object({
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(80)),
  amount: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(99)), 1),
})
