/** A string as the runtime has it (Node.js 20, ES2024); the project's `lib` is ES2023. */
type Text = string & { isWellFormed(): boolean }

/** False for a string with half of a surrogate pair: UTF-8 cannot encode it, and it would become another string. */
export function isWellFormed(text: string): boolean {
  // The method exists (see Text); only its type is missing.
  return (text as Text).isWellFormed()
}
