/** Why documents cannot be compared, with what to change. */
export class DocumentError extends Error {
  override readonly name: string = 'DocumentError'
}
