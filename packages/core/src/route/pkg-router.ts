import type { CompiledRoute } from '../call/compiled-route.ts'

/** PkgIDs up to this one are found by index, others by hash. */
const denseLimit = 4096

/** Finds the route of a PkgID. */
export class PkgRouter {
  readonly #dense: (CompiledRoute | undefined)[] = []
  readonly #sparse = new Map<number, CompiledRoute>()

  add(pkgId: number, route: CompiledRoute): void {
    if (pkgId > denseLimit) {
      this.#sparse.set(pkgId, route)
      return
    }
    // Filled from the start, so that the array has no holes.
    while (this.#dense.length <= pkgId) this.#dense.push(undefined)
    this.#dense[pkgId] = route
  }

  find(pkgId: number): CompiledRoute | undefined {
    return pkgId < this.#dense.length ? this.#dense[pkgId] : this.#sparse.get(pkgId)
  }
}
