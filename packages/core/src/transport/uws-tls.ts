import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { BootError } from '../base/boot-error.ts'
import { option } from '../base/option.ts'
import type { OptionRules } from '../base/option-rule.ts'
import { checkOptions } from '../base/options.ts'
import type { UwsTlsFiles } from './uws-types.ts'

/** Options of `uws({ tls })`. Files are PEM, read when the app listens. */
export interface UwsTlsOptions {
  readonly keyFile: string
  /** The certificate, followed by those of the chain to a root. */
  readonly certFile: string
  /** Of an encrypted key. */
  readonly passphrase?: string
  /**
   * Certificate authorities of client certificates. The server then requests one, and a certificate of another authority ends the handshake.
   * A client without one is still admitted: this does not authenticate anyone.
   */
  readonly caFile?: string
  /** In OpenSSL's notation, for TLS 1.2. Default: OpenSSL's own. */
  readonly ciphers?: string
}

const file = { expects: 'the path of a PEM file' }
const rules = {
  keyFile: option.string({ ...file, required: true }),
  certFile: option.string({ ...file, required: true }),
  passphrase: option.string({ secret: true, expects: 'a string', test: () => true }),
  caFile: option.string(file),
  ciphers: option.string(),
} satisfies OptionRules<UwsTlsOptions>

/**
 * Checks everything with Node's TLS, which has readable errors: for files that are missing or do not belong together, the native server
 * only reports that it cannot be created.
 *
 * @throws BootError `bad_option`
 */
export function toTlsFiles(options: UwsTlsOptions): UwsTlsFiles {
  const { keyFile, certFile, passphrase, caFile, ciphers } = checkOptions('uws()', options, rules, 'tls')
  const key = read('keyFile', keyFile)
  const cert = read('certFile', certFile)
  const ca = caFile === undefined ? undefined : read('caFile', caFile)
  try {
    createSecureContext({ key, cert, passphrase, ca, ciphers })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new BootError('bad_option', `uws(): tls cannot be used with ${certFile} and ${keyFile}: ${reason}`, { cause })
  }
  return {
    key_file_name: keyFile,
    cert_file_name: certFile,
    ...(passphrase !== undefined && { passphrase }),
    ...(caFile !== undefined && { ca_file_name: caFile }),
    ...(ciphers !== undefined && { ssl_ciphers: ciphers }),
  }
}

function read(name: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new BootError('bad_option', `uws(): tls.${name} cannot be read: ${reason}`, { cause })
  }
}
