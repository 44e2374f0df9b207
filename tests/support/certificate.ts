import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate of its own authority, for localhost and 127.0.0.1. */
export interface Certificate {
  /** Paths of PEM files. */
  readonly keyFile: string
  readonly certFile: string
  /** PEM. */
  readonly ca: string
  remove(): void
}

export function createCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'twinwire-certificate-'))
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', keyFile, '-out', certFile],
    ],
    { stdio: 'ignore' },
  )
  return {
    keyFile,
    certFile,
    ca: readFileSync(certFile, 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
