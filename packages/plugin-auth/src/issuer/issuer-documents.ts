import { BootError, type Clock } from '@twinwire/core'
import { type CircuitBreaker, CircuitOpenError } from '@twinwire/core/plugin'
import type { AuthInstruments, IssuerRequest } from '../auth-instruments.ts'
import { createKeySet, type KeySet } from '../token/jose.ts'
import { FetchError, fetchJson } from './fetch-json.ts'

/** What the issuer publishes. */
export interface Published {
  readonly keys: KeySet
  /** Epoch milliseconds: tokens that were issued before are invalid (`tokens-not-before` of the realm). */
  readonly notBeforeMs: number
}

interface DocumentOptions {
  /** As tokens contain it in `iss`. */
  readonly issuer: string
  /** Where its documents are read. */
  readonly address: string
  readonly readNotBefore: boolean
  readonly requireHttps: boolean
  readonly timeoutMs: number
  readonly maxBytes: number
}

interface DocumentParts {
  readonly breaker: CircuitBreaker
  readonly clock: Clock
  readonly instruments: AuthInstruments
}

/** Reads the discovery document, the keys and the realm's document. */
export class IssuerDocuments {
  readonly #options: DocumentOptions
  readonly #parts: DocumentParts
  /** Address of the keys; discovered again after a failure. */
  #keysUrl: URL | null = null

  constructor(options: DocumentOptions, parts: DocumentParts) {
    this.#options = options
    this.#parts = parts
  }

  /**
   * All documents, as one call of the breaker: with a call for each, an issuer that serves one of them and never the next would not fail
   * consecutively. Rejects with a BootError where a retry cannot help.
   */
  async read(): Promise<Published> {
    const { breaker, instruments } = this.#parts
    try {
      return await breaker.run(({ signal }) => this.#readAll(signal))
    } catch (error) {
      this.#keysUrl = null
      if (error instanceof CircuitOpenError) instruments.requested('discovery', 'rejected')
      throw error
    }
  }

  async #readAll(signal: AbortSignal): Promise<Published> {
    this.#keysUrl ??= await this.#discover(signal)
    const [keys, notBeforeMs] = await Promise.all([this.#readKeys(this.#keysUrl, signal), this.#readNotBefore(signal)])
    return { keys, notBeforeMs }
  }

  async #discover(signal: AbortSignal): Promise<URL> {
    const { issuer, address, requireHttps } = this.#options
    const document = await this.#get('discovery', new URL(`${address}/.well-known/openid-configuration`), signal)
    if (!isRecord(document) || typeof document.jwks_uri !== 'string' || !URL.canParse(document.jwks_uri))
      throw new FetchError('The discovery document has no jwks_uri')
    if (document.issuer !== issuer) {
      throw new BootError(
        'auth.wrong_issuer',
        `auth(): the discovery document at ${address} is of the issuer '${String(document.issuer)}': if that is your issuer, set the option issuer to exactly that`,
        { docs: 'boot-errors#authwrong_issuer' },
      )
    }
    const url = new URL(document.jwks_uri)
    if (url.protocol !== 'https:' && (requireHttps || url.protocol !== 'http:')) {
      throw new BootError(
        'auth.insecure_keys',
        'auth(): the jwks_uri of the issuer does not use https: change it at the issuer, or set allowInsecureIssuer: true',
        { docs: 'boot-errors#authinsecure_keys' },
      )
    }
    return url
  }

  async #readKeys(url: URL, signal: AbortSignal): Promise<KeySet> {
    const keys = createKeySet(await this.#get('keys', url, signal))
    if (keys === null) throw new FetchError('The issuer does not publish a key set with usable keys')
    return keys
  }

  async #readNotBefore(signal: AbortSignal): Promise<number> {
    if (!this.#options.readNotBefore) return 0
    const realm = await this.#get('realm', new URL(this.#options.address), signal)
    const notBefore = isRecord(realm) ? (realm['tokens-not-before'] ?? 0) : null
    if (typeof notBefore !== 'number')
      throw new FetchError(
        'The document of the realm has no tokens-not-before: for an issuer other than Keycloak set realmNotBefore: false',
      )
    return notBefore * 1000
  }

  async #get(type: IssuerRequest, url: URL, signal: AbortSignal): Promise<unknown> {
    const { timeoutMs, maxBytes } = this.#options
    const { clock, instruments } = this.#parts
    const startedAt = clock.monotonic()
    try {
      const document = await fetchJson(url, { timeoutMs, maxBytes, clock, signal })
      instruments.requested(type, 'success')
      return document
    } catch (error) {
      instruments.requested(type, 'failure')
      throw error
    } finally {
      instruments.duration(type, clock.monotonic() - startedAt)
    }
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
