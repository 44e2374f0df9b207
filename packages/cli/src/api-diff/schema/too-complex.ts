/** The schemas have too many alternatives, or are nested too deeply, to be compared in reasonable time. */
export class TooComplex extends Error {
  override readonly name: string = 'TooComplex'
}
