import * as v from 'valibot'

const AmountSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(99))

export const ItemSchema = v.object({
  id: v.number(),
  name: v.string(),
  amount: v.number(),
  bought: v.boolean(),
  addedBy: v.nullable(v.string()),
})
export type Item = v.InferOutput<typeof ItemSchema>

export const AddItemInput = v.object({
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(80)),
  amount: v.optional(AmountSchema, 1),
})
export type AddItemInput = v.InferOutput<typeof AddItemInput>

export const ItemIdInput = v.object({
  id: v.pipe(v.number(), v.integer(), v.minValue(1)),
})
export type ItemIdInput = v.InferOutput<typeof ItemIdInput>
