import { option } from '../base/option.ts'
import type { OptionRule, OptionRules } from '../base/option-rule.ts'
import { badOption, checkOptions } from '../base/options.ts'
import type { MultipartLimits } from '../call/multipart-file.ts'

/** Limits of a multipart body: `http: { body: 'multipart', files: { maxFiles: 3 } }`. Its size as a whole is `http.maxBodyBytes`. */
export interface MultipartOptions {
  /** Fields and files together. Default 100. */
  readonly maxParts?: number
  /** Default 10. */
  readonly maxFiles?: number
  /** Default 100. */
  readonly maxFields?: number
  /** Of the name of a field, and of the name of a file. Default 255. */
  readonly maxNameBytes?: number
  /** Of the value of one field; fields are held in memory. Default 64 KiB. */
  readonly maxFieldBytes?: number
  /** Of one file. Default: `http.maxBodyBytes`. */
  readonly maxFileBytes?: number
}

export const multipartRules: OptionRules<MultipartOptions> & {
  readonly [Name in Exclude<keyof MultipartOptions, 'maxFileBytes'>]: OptionRule<number>
} = {
  maxParts: option.integer({ min: 1, default: 100 }),
  maxFiles: option.integer({ min: 0, default: 10 }),
  maxFields: option.integer({ min: 0, default: 100 }),
  maxNameBytes: option.bytes({ max: 4096, default: 255 }),
  maxFieldBytes: option.bytes({ default: 65_536 }),
  maxFileBytes: option.bytes(),
}

/**
 * The limits of a route, with defaults.
 *
 * @param owner - The route, as messages name it.
 * @param maxBodyBytes - Of the whole body.
 * @throws BootError `bad_option`, `unknown_option`
 */
export function toMultipartLimits(owner: string, options: MultipartOptions, maxBodyBytes: number): MultipartLimits {
  const { maxFileBytes = maxBodyBytes, ...limits } = checkOptions(owner, options, multipartRules, 'http.files')
  if (maxFileBytes > maxBodyBytes)
    throw badOption(
      owner,
      'http.files.maxFileBytes',
      `must be at most http.maxBodyBytes (${maxBodyBytes})`,
      maxFileBytes,
    )
  return { ...limits, maxFileBytes }
}
