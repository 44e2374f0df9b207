import { option } from '../base/option.ts'
import type { OptionRule, OptionRules } from '../base/option-rule.ts'
import { checkOptions } from '../base/options.ts'

/**
 * `shared`: each message is compressed by itself, which takes no memory for a socket. `dedicated`: with the last messages of its socket as a
 * window, for messages that resemble each other; it takes about 75 KiB for each socket (measured).
 */
export const compressionMemories = ['shared', 'dedicated'] as const
export type CompressionMemory = (typeof compressionMemories)[number]

/** How sent messages are compressed (permessage-deflate, RFC 7692), for clients that offer it. */
export interface SocketCompression {
  readonly memory: CompressionMemory
  /** A shorter message is sent as it is. Text is measured in characters. */
  readonly thresholdBytes: number
}

export interface CompressionOptions {
  /** `dedicated`: a window for each socket, in about 75 KiB. Default `shared`: none. */
  readonly memory?: CompressionMemory
  /** A shorter message is sent as it is. Text is measured in characters. Default 1024. */
  readonly thresholdBytes?: number
}

const rules = {
  memory: option.choice(compressionMemories, { default: 'shared' }),
  thresholdBytes: option.bytes({ min: 0, default: 1024 }),
} satisfies OptionRules<CompressionOptions>

/** `false`: off, which is the default. A memory alone: with the default of the threshold. */
export const compressionRule: OptionRule<false | CompressionMemory | SocketCompression> = option.anyOf(
  [option.choice([false, ...compressionMemories]), option.object(rules)],
  { default: false },
)

/** Null: off. */
export function toCompression(given: false | CompressionMemory | SocketCompression): SocketCompression | null {
  if (given === false) return null
  return typeof given === 'string' ? checkOptions('', { memory: given }, rules) : given
}
