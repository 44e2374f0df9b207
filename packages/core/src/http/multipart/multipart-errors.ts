import { type AppError, coreError, ValidationError } from '../../errors/app-error.ts'

const maxShown = 64

/** A body that is not as it must be. `name`: of the part; '' for the body as a whole. */
export function refuse(message: string, name = ''): AppError {
  return new ValidationError(undefined, [{ path: toShown(name), message }])
}

/** For a part that is larger than it may be. */
export function tooLarge(
  { name, isFile }: { readonly name: string; readonly isFile: boolean },
  maxBytes: number,
): AppError {
  const message = `The ${isFile ? 'file' : 'field'} '${toShown(name)}' may have at most ${maxBytes} bytes`
  return coreError('payload_too_large', message, { details: { max_bytes: maxBytes } })
}

/** What a client calls something, as an answer shows it: not too long, without half of a character. */
export function toShown(name: string): string {
  const short = name.length > maxShown ? `${name.slice(0, maxShown)}…` : name
  return short.replace(/\p{Surrogate}/gu, '\uFFFD')
}
