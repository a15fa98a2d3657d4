import { followFiles } from './config/follow-files.ts'
import type { Configuration } from './config/schema.ts'
import { readTlsIdentity, type TlsIdentity } from './gateway/tls.ts'
import type { TlsListening } from './gateway/tls-server.ts'
import type { Log } from './telemetry/log.ts'

/**
 * What the public listener shows; undefined where it speaks plain HTTP.
 *
 * @throws {Error} for the operator, where a file is bad
 */
export async function openTls({ listen }: Configuration): Promise<TlsListening | undefined> {
  const { tls } = listen.public
  if (tls === undefined) return undefined
  const { http2, hstsSeconds } = tls
  return { identity: await readTlsIdentity(tls), http2, hstsSeconds }
}

/** The certificate in use, exchanged when its files change; a bad one is refused, and told. */
export async function followCertificate(
  { listen }: Configuration,
  { identity }: TlsListening,
  renew: (identity: TlsIdentity) => void,
  log: Pick<Log, 'info' | 'error'>,
): Promise<{ expiresAtMs: () => number; close: () => Promise<void> }> {
  const { tls } = listen.public
  let { expiresAtMs } = identity
  const files = [tls?.certificate, tls?.key, tls?.clientCa].filter((file) => file !== undefined)
  const following = await followFiles({
    files: () => files,
    onChange: async () => {
      if (tls === undefined) return
      try {
        const next = await readTlsIdentity(tls)
        renew(next)
        expiresAtMs = next.expiresAtMs
        log.info({ expiresAt: new Date(expiresAtMs).toISOString() }, 'the certificate was renewed')
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error)
        log.error({ problem }, 'the certificate is refused; the one before it stays')
      }
    },
  })
  return { expiresAtMs: () => expiresAtMs, close: () => following.close() }
}
