import { option } from '../../base/option.ts'
import type { OptionRule, OptionRules } from '../../base/option-rule.ts'
import type { AnswerCompression } from '../../call/compiled-route.ts'

/** What `createApp({ http: { compression } })` takes. */
export interface HttpCompressionOptions {
  /** A shorter body is sent as it is. Text is measured in characters. Default 1024. */
  readonly minBytes?: number
  /** Quality of brotli, 0 (fast) to 11 (small). Default 4. */
  readonly brotliQuality?: number
  /** Level of gzip, 1 (fast) to 9 (small). Default 6. */
  readonly gzipLevel?: number
  /** Up to here a body is compressed at once, on the event loop; a longer one in the thread pool, and its answer comes later. Default 32 KiB. */
  readonly syncBytes?: number
}

export const defaultCompression: AnswerCompression = {
  minBytes: 1024,
  brotliQuality: 4,
  gzipLevel: 6,
  syncBytes: 32 * 1024,
}

const rules = {
  minBytes: option.bytes({ default: defaultCompression.minBytes }),
  brotliQuality: option.integer({ max: 11, default: defaultCompression.brotliQuality }),
  gzipLevel: option.integer({ min: 1, max: 9, default: defaultCompression.gzipLevel }),
  syncBytes: option.bytes({ min: 0, default: defaultCompression.syncBytes }),
} satisfies OptionRules<HttpCompressionOptions>

/** Default true. */
export const httpCompressionRule: OptionRule<boolean | AnswerCompression> = option.anyOf(
  [option.choice([true, false]), option.object(rules)],
  { default: true },
)

/** Null: off. */
export function toAnswerCompression(given: boolean | AnswerCompression): AnswerCompression | null {
  if (given === false) return null
  return given === true ? defaultCompression : given
}
