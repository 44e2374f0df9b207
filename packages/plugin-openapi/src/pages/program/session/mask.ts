const mark = '••••'
/** A JSON Web Token, wherever it is. */
const jwt = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g
/** All that a header says of who calls, but the scheme. */
const header = /^((?:proxy-)?authorization:[ \t]*)(?:(Bearer|Basic|DPoP)([ \t]+))?\S.*$/gim
/** Elsewhere the names of schemes are words, too: what follows has to look like a credential. */
const scheme = /\b(Bearer|Basic|DPoP)(\s+)(?=[\w.~+/-]*\d)[\w.~+/-]{16,}=*/gi
const named =
  /("(?:access_?token|refresh_?token|id_?token|token|authorization|password|client_?secret)"\s*:\s*")(?:[^"\\]|\\.)*"/gi

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
      .replace(header, (_, name: string, kind = '', space = '') => `${name}${kind}${space}${mark}`)
      .replace(scheme, `$1$2${mark}`)
      .replace(jwt, mark)
      .replace(named, (_, start: string) => `${start}${mark}"`)
  }
}
