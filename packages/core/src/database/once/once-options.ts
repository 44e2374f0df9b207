import { option } from '../../base/option.ts'
import type { OptionRule } from '../../base/option-rule.ts'

export interface OnceOptions {
  /**
   * How long a repeated call gets the reply of the first one, in milliseconds: from 1,000 to 31,622,400,000 (366 days). After that the key is
   * removed, and a call with it is a new one.
   */
  readonly retention: number
  /**
   * Keep the reply for repeated calls. False for replies with secrets: a repeated call is then answered without data, which says that it was
   * done. Default true.
   */
  readonly reply?: boolean
  /** Refuse requests over HTTP without `Idempotency-Key`, with `idempotency_key_required`. Default false: they run without `once()`. */
  readonly required?: boolean
  /** A reply that is longer, as JSON in UTF-8, is not kept: repeated calls are answered as with `reply: false`. Default 65,536. */
  readonly maxReplyBytes?: number
}

export const onceRules: { readonly [Name in keyof OnceOptions]-?: OptionRule<NonNullable<OnceOptions[Name]>> } = {
  retention: option.duration({ min: 1000, max: 31_622_400_000, required: true }),
  reply: option.flag({ default: true }),
  required: option.flag({ default: false }),
  maxReplyBytes: option.bytes({ min: 1, max: 16_777_216, default: 65_536 }),
}
