/** A string as the runtime has it (Node.js 20, ES2024); the project's `lib` is ES2023. */
type Text = string & { isWellFormed(): boolean }

/** False for a text with half of a surrogate pair: it has no form in UTF-8, and would become another text. */
export function isWellFormed(text: string): boolean {
  // See Text: the method is there, only the type is younger.
  return (text as Text).isWellFormed()
}
