import { toName } from '../schemas/components.ts'

/** Unique names for operations, made of the names of routes: `GET /authors/:id` is `GetAuthorsId`. */
export class OperationNames {
  readonly #taken = new Set<string>()

  add(name: string): string {
    const wanted = toName(name) || 'Operation'
    let unique = wanted
    for (let n = 2; this.#taken.has(unique); n++) unique = `${wanted}${n}`
    this.#taken.add(unique)
    return unique
  }
}
