const mark = '••••'
/** A JSON Web Token, wherever it is. */
const jwt = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g
/** A credential of any scheme in a header, in JSON as text, or in a query. */
const scheme = /\b(Bearer|Basic|DPoP)(\s+)[^\s"',;\\]+/gi
const named = /("(?:access_token|refresh_token|id_token|token|password|client_secret)"\s*:\s*")(?:[^"\\]|\\.)*"/gi

/** Takes the tokens out of what is shown. */
export class Mask {
  readonly #known = new Set<string>()

  /** This text is never shown. Short ones would hide other text. */
  add(secret: string): void {
    if (secret.length >= 8) this.#known.add(secret)
  }

  apply(text: string): string {
    let shown = text
    for (const secret of this.#known) shown = shown.replaceAll(secret, mark)
    return shown
      .replace(scheme, `$1$2${mark}`)
      .replace(jwt, mark)
      .replace(named, (_, start: string) => `${start}${mark}"`)
  }
}
