import {
  createEncryptionKey,
  createSigningKey,
  type PublishedKey,
  type SigningKey,
  type TestAlgorithm,
} from './signing-keys.ts'

// An RSA key takes a tenth of a second to make. These two sign and decrypt nothing that counts, so one will do for all issuers.
let encryptionKey: PublishedKey | undefined
const foreignKeys = new Map<TestAlgorithm, SigningKey>()

/** The keys of a test issuer: those that sign, and those that are only published any more. */
export class KeyRing {
  readonly algorithms: readonly TestAlgorithm[]
  #current: readonly SigningKey[]
  #passive: readonly SigningKey[] = []
  readonly #haveIds: boolean

  constructor(algorithms: readonly TestAlgorithm[], haveIds: boolean) {
    this.algorithms = algorithms
    this.#haveIds = haveIds
    this.#current = this.#create()
  }

  get published(): readonly PublishedKey[] {
    encryptionKey ??= createEncryptionKey()
    return [...[...this.#current, ...this.#passive].map(({ jwk }) => jwk), encryptionKey]
  }

  /** Of `algorithm`, else the first. */
  current(algorithm: TestAlgorithm | undefined): SigningKey {
    const key = this.#current.find((each) => algorithm === undefined || each.algorithm === algorithm)
    if (key === undefined) throw new Error(`the test issuer has no key of ${algorithm}: name it in its \`algorithms\``)
    return key
  }

  /** New ones sign from now on; those that did before stay published, or not. */
  rotate(retire: boolean): void {
    this.#passive = retire ? [] : [...this.#current, ...this.#passive]
    this.#current = this.#create()
  }

  #create(): readonly SigningKey[] {
    return this.algorithms.map((algorithm) => createSigningKey(algorithm, this.#haveIds))
  }
}

/** A key that no issuer publishes. */
export function foreignKey(algorithm: TestAlgorithm): SigningKey {
  const key = foreignKeys.get(algorithm) ?? createSigningKey(algorithm)
  foreignKeys.set(algorithm, key)
  return key
}
