import { BootError, type Clock } from '@twinwire/core'
import type { AuthInstruments, IssuerRequest } from '../auth-instruments.ts'
import { createKeySet, type KeySet } from '../token/jose.ts'
import { type Breaker, BreakerOpenError } from './breaker.ts'
import { FetchError, fetchJson } from './fetch-json.ts'

/** What the issuer has published. */
export interface Published {
  readonly keys: KeySet
  /** Epoch milliseconds: tokens issued before are void (`tokens-not-before` of the realm). */
  readonly notBeforeMs: number
}

interface DocumentOptions {
  /** As it stands in tokens. */
  readonly issuer: string
  /** Where it is asked. */
  readonly address: string
  readonly readNotBefore: boolean
  readonly requireHttps: boolean
  readonly timeoutMs: number
  readonly maxBytes: number
}

interface DocumentParts {
  readonly breaker: Breaker<Published>
  readonly clock: Clock
  readonly instruments: AuthInstruments
}

/** Reads discovery, keys and the realm's document: all of them, or it rejects. */
export class IssuerDocuments {
  readonly #options: DocumentOptions
  readonly #parts: DocumentParts
  readonly #closing = new AbortController()
  /** Where the keys are; asked again after a failure. */
  #keysUrl: URL | null = null

  constructor(options: DocumentOptions, parts: DocumentParts) {
    this.#options = options
    this.#parts = parts
  }

  /**
   * All of it goes through the breaker as one: of an issuer that answers one question and never the next, no failures would come in a row.
   * Rejects with a BootError for what no waiting will heal.
   */
  async read(): Promise<Published> {
    const { breaker, instruments } = this.#parts
    try {
      return await breaker.run(() => this.#readAll())
    } catch (error) {
      this.#keysUrl = null
      if (error instanceof BreakerOpenError) instruments.asked('discovery', 'rejected')
      throw error
    }
  }

  async #readAll(): Promise<Published> {
    this.#keysUrl ??= await this.#discover()
    const [keys, notBeforeMs] = await Promise.all([this.#readKeys(this.#keysUrl), this.#readNotBefore()])
    return { keys, notBeforeMs }
  }

  /** Ends what is under way. */
  close(): void {
    this.#closing.abort(new FetchError('The app is closing'))
  }

  async #discover(): Promise<URL> {
    const { issuer, address, requireHttps } = this.#options
    const document = await this.#get('discovery', new URL(`${address}/.well-known/openid-configuration`))
    if (!isRecord(document) || typeof document.jwks_uri !== 'string' || !URL.canParse(document.jwks_uri))
      throw new FetchError('The discovery document has no jwks_uri')
    if (document.issuer !== issuer) {
      throw new BootError(
        'bad_option',
        `auth(): the issuer at ${address} calls itself '${String(document.issuer)}': set issuer to that, exactly, if it is yours`,
      )
    }
    const url = new URL(document.jwks_uri)
    if (url.protocol !== 'https:' && (requireHttps || url.protocol !== 'http:')) {
      throw new BootError(
        'bad_option',
        'auth(): the issuer publishes its keys at an address without https: let it do so, or set allowInsecureIssuer: true',
      )
    }
    return url
  }

  async #readKeys(url: URL): Promise<KeySet> {
    const keys = createKeySet(await this.#get('keys', url))
    if (keys === null) throw new FetchError('The key set of the issuer has no keys, or is none')
    return keys
  }

  async #readNotBefore(): Promise<number> {
    if (!this.#options.readNotBefore) return 0
    const realm = await this.#get('realm', new URL(this.#options.address))
    const notBefore = isRecord(realm) ? (realm['tokens-not-before'] ?? 0) : null
    if (typeof notBefore !== 'number')
      throw new FetchError(
        'The document of the realm has no tokens-not-before: set realmNotBefore: false without Keycloak',
      )
    return notBefore * 1000
  }

  async #get(type: IssuerRequest, url: URL): Promise<unknown> {
    const { timeoutMs, maxBytes } = this.#options
    const { clock, instruments } = this.#parts
    const startedAt = clock.monotonic()
    try {
      const document = await fetchJson(url, { timeoutMs, maxBytes, clock, signal: this.#closing.signal })
      instruments.asked(type, 'success')
      return document
    } catch (error) {
      instruments.asked(type, 'failure')
      throw error
    } finally {
      instruments.duration(type, clock.monotonic() - startedAt)
    }
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
