type Exports = Readonly<Record<string, Readonly<Record<string, string>>>>

interface Sizes {
  readonly packages: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly others: Readonly<Record<string, number>>
}

export declare function compareSizes(before: Sizes, now: Sizes): string[]
export declare function differences(before: Exports, after: Exports): string[]
export declare function faultsOfFiles(name: string, paths: readonly string[]): string[]
export declare function faultsOfPolicies(): string[]
export declare function faultsOfStability(snapshots: Readonly<Record<string, Exports>>): string[]
