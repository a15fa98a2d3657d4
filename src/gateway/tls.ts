import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'

/** Absolute paths of PEM files. */
export type TlsFiles = {
  /** The certificate and whatever leads from it to a root that callers know. */
  readonly certificate: string
  readonly key: string
  /** Whose certificates callers must show; undefined: they show none. */
  readonly clientCa?: string | undefined
}

/** What a TLS listener shows, and whom it lets in. */
export type TlsIdentity = {
  readonly options: SecureContextOptions & { readonly requestCert: boolean }
  /** When the certificate ends, in milliseconds since the epoch. */
  readonly expiresAtMs: number
}

/** Forward secrecy and authenticated encryption only; the first three are those of TLS 1.3. */
const ciphers = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
].join(':')

/**
 * Read the files of a TLS listener, and make sure that they belong together.
 *
 * @throws {Error} for the operator: a file cannot be read, or is not what it should be
 */
export async function readTlsIdentity(files: TlsFiles): Promise<TlsIdentity> {
  const [cert, key, ca] = await Promise.all([
    readPem(files.certificate),
    readPem(files.key),
    files.clientCa === undefined ? undefined : readPem(files.clientCa),
  ])
  const options = {
    ...({ cert, key, ciphers, minVersion: 'TLSv1.2', requestCert: ca !== undefined } as const),
    ...(ca === undefined ? {} : { ca }),
  }
  try {
    // A key of another certificate is found out here, before anything is exchanged.
    createSecureContext(options)
    return { options, expiresAtMs: new X509Certificate(cert).validToDate.getTime() }
  } catch (cause) {
    throw new Error(`${files.certificate} and ${files.key} are no certificate and its key`, {
      cause,
    })
  }
}

/** The text of a PEM file. @throws {Error} that names it */
export async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new Error(`${file} cannot be read: ${reason}`, { cause })
  }
}
