/** The versions of Node that have a native binary and that every release is tested on. `engines` of the packages has the same. */
export const supportedNodes = '20, 22 or 24'

/** A package as it was found. */
export interface FoundPackage {
  readonly version: string
  readonly folder: string
}

/** The parts of core's package.json that the doctor compares with. */
export interface Manifest extends Importer {
  readonly engines: Readonly<Record<string, string>>
}

/** The package that imports another one. */
export interface Importer {
  readonly name: string
  readonly peerDependencies: Readonly<Record<string, string>>
}

/** What the doctor reads of the machine and the installation: tests simulate another one. */
export interface Machine {
  /** `20.19.5` */
  readonly node: string
  readonly abi: string
  readonly platform: string
  readonly arch: string
  /** Null where there is none: musl, macOS, Windows. */
  readonly glibc: string | null
  /** Environment variables, as `process.env` has them. */
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly isMainThread: boolean
  /** Whether the system passes connections of a listener that closes to others of its port (`net.ipv4.tcp_migrate_req`). Null: unknown. */
  readonly migratesConnections: boolean | null
  /** Null where it cannot be found: core is part of a bundle. */
  readonly manifest: Manifest | null
  /** A package as the application finds it, as core does, or as the file of a URL does. */
  find(name: string, from: 'app' | 'core' | URL): FoundPackage | null
  /** The package that a file belongs to; null where there is none: it is part of a bundle. */
  importer(file: URL): Importer | null
}
