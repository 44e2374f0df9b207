import type { JsonWebKey } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { BootError } from '@twinwire/core'
import { fromPrivateJwk, type SigningKey } from './signing-keys.ts'

/** Signing keys in a file: a JSON Web Key Set (RFC 7517) of private keys. */
export class StoredKeys {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** The keys of the file; none if there is no file. Throws a BootError for a file that it cannot read. */
  read(): readonly SigningKey[] {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch (cause) {
      if (isMissing(cause)) return []
      throw this.#problem('cannot be read', 'make it readable, or name another file', cause)
    }
    try {
      // What is not so fails below.
      const { keys }: { readonly keys: readonly JsonWebKey[] } = JSON.parse(text)
      return keys.map(fromPrivateJwk)
    } catch (cause) {
      throw this.#problem('is not a set of signing keys', 'delete it, and new keys are created', cause)
    }
  }

  /** Replaces the file at once: a process that reads it meanwhile gets the former keys. Throws a BootError if it cannot. */
  write(keys: readonly SigningKey[]): void {
    const jwks = keys.map(({ privateKey, jwk }) => ({ ...privateKey.export({ format: 'jwk' }), ...jwk }))
    const unfinished = `${this.#file}.${process.pid}`
    try {
      mkdirSync(dirname(this.#file), { recursive: true })
      writeFileSync(unfinished, `${JSON.stringify({ keys: jwks }, null, 2)}\n`, { mode: 0o600 })
      renameSync(unfinished, this.#file)
    } catch (cause) {
      throw this.#problem('cannot be written', 'name a file in a folder that this process may write to', cause)
    }
  }

  #problem(what: string, change: string, cause: unknown): BootError {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new BootError(
      'bad_option',
      `createTestIssuer(): the keysFile ${this.#file} ${what} (${reason}): ${change}`,
      {
        cause,
      },
    )
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
