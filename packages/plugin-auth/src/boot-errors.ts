/** Codes of boot errors of this plugin, with the words of their sections in docs_site/boot-errors.md, which is written from them. */
export const authBootErrors = {
  'auth.wrong_issuer': {
    about: 'The discovery document is of another issuer than the option `issuer`.',
    example:
      "auth(): the discovery document at https://id.example.com/realms/shop is of the issuer 'https://id.example.com/realms/shop/': if that is your issuer, set the option issuer to exactly that",
    change:
      'Copy the `issuer` of the document, with or without the slash at its end. Do not set one that you do not know.',
  },
  'auth.insecure_keys': {
    about: 'The issuer publishes its keys at an address without https.',
    example:
      'auth(): the jwks_uri of the issuer does not use https: change it at the issuer, or set allowInsecureIssuer: true',
    change: 'Allow it in development only: a caller who changes what is read there can sign tokens.',
  },
} as const
