import {
  createEncryptionKey,
  createSigningKey,
  type PublishedKey,
  type SigningKey,
  type TestAlgorithm,
} from './signing-keys.ts'
import type { StoredKeys } from './stored-keys.ts'

// Creating an RSA key takes 100 ms. These keys protect nothing, so all issuers share them.
let encryptionKey: PublishedKey | undefined
const foreignKeys = new Map<TestAlgorithm, SigningKey>()

/** The keys of a test issuer: those that sign, and former ones that are still published. */
export class KeyRing {
  readonly algorithms: readonly TestAlgorithm[]
  #current: readonly SigningKey[]
  #passive: readonly SigningKey[] = []
  readonly #withIds: boolean
  readonly #stored: StoredKeys | null

  /** `stored`: keeps the keys that sign. Null: each ring creates its own. */
  constructor(algorithms: readonly TestAlgorithm[], withIds: boolean, stored: StoredKeys | null = null) {
    this.algorithms = algorithms
    this.#withIds = withIds
    this.#stored = stored
    const kept = stored?.read().filter(({ kid }) => (kid !== undefined) === withIds) ?? []
    this.#current = algorithms.map(
      (algorithm) => kept.find((key) => key.algorithm === algorithm) ?? createSigningKey(algorithm, withIds),
    )
    if (this.#current.some((key) => !kept.includes(key))) stored?.write(this.#current)
  }

  get published(): readonly PublishedKey[] {
    encryptionKey ??= createEncryptionKey()
    return [...[...this.#current, ...this.#passive].map(({ jwk }) => jwk), encryptionKey]
  }

  /** The key of `algorithm`; without one, the first. */
  current(algorithm: TestAlgorithm | undefined): SigningKey {
    const key = this.#current.find((each) => algorithm === undefined || each.algorithm === algorithm)
    if (key === undefined)
      throw new Error(`The test issuer has no key for ${algorithm}: add it to the option algorithms`)
    return key
  }

  /** Creates new signing keys. The former ones stay published unless `retire` is true. */
  rotate(retire: boolean): void {
    this.#passive = retire ? [] : [...this.#current, ...this.#passive]
    this.#current = this.algorithms.map((algorithm) => createSigningKey(algorithm, this.#withIds))
    this.#stored?.write(this.#current)
  }
}

/** A key that no issuer publishes. */
export function foreignKey(algorithm: TestAlgorithm): SigningKey {
  const key = foreignKeys.get(algorithm) ?? createSigningKey(algorithm)
  foreignKeys.set(algorithm, key)
  return key
}
