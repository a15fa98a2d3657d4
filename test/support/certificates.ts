import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Paths of a certificate and its key, in PEM. */
export type TestCertificate = { readonly certificate: string; readonly key: string }

const run = promisify(execFile)

/** Make an authority that signs certificates for the loopback address, with openssl. */
export async function createAuthority(folder: string) {
  const ca = { certificate: join(folder, 'ca.pem'), key: join(folder, 'ca.key') }
  await openssl(['req', '-x509', ...newKey(ca.key), '-subj', '/CN=Test CA', '-out', ca.certificate])
  return {
    certificate: ca.certificate,
    /** Make a certificate; a name that was used before is written over. */
    async sign(name: string): Promise<TestCertificate> {
      const made = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
      const [request, extensions] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)]
      await openssl(['req', ...newKey(made.key), '-subj', `/CN=${name}`, '-out', request])
      await writeFile(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost')
      const signing = ['-CA', ca.certificate, '-CAkey', ca.key, '-CAcreateserial']
      const out = ['-extfile', extensions, '-out', made.certificate]
      await openssl(['x509', '-req', '-days', '2', '-in', request, ...signing, ...out])
      return made
    },
  }
}

function newKey(file: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file]
}

async function openssl(args: readonly string[]): Promise<void> {
  await run('openssl', args)
}
