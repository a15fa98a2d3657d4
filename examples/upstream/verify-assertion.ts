import { createRemoteJWKSet, jwtVerify } from 'jose'

/** Who calls, as Gatehouse vouches for it. */
export type Caller = {
  /** `u-…`, `sa-…`, `pool-…` or `partner-…` */
  readonly principalId: string
  readonly principalKind: string
  readonly credentialKind: string
  /** Undefined for partners. */
  readonly organizationId: string | undefined
}

/**
 * Build what reads the `Gatehouse-Assertion` field. A service that is reachable by anybody but the
 * gateway believes this, and none of the plain `Gatehouse-*` fields.
 *
 * @param issuer the gateway's `tokens.issuer` (or `publicOrigin`), to the letter
 * @param audience what the group says under `upstream.assertionAudience`
 * @param keySetUrl the gateway's `/oauth2/jwks.json`
 * @returns rejects where the field is missing, or is not the gateway's word for this service
 */
export function createAssertionVerifier(
  issuer: string,
  audience: string,
  keySetUrl: string,
): (field: string | undefined) => Promise<Caller> {
  const keySet = createRemoteJWKSet(new URL(keySetUrl))
  return async (field) => {
    const { payload } = await jwtVerify(field ?? '', keySet, {
      issuer,
      audience,
      algorithms: ['EdDSA', 'Ed25519', 'ES256'],
      typ: 'gatehouse-assertion+jwt',
      requiredClaims: ['exp', 'iat', 'sub'],
      clockTolerance: 10,
    })
    const { organization } = payload
    return {
      principalId: payload.sub ?? '',
      principalKind: String(payload['principal_kind']),
      credentialKind: String(payload['credential_kind']),
      organizationId: typeof organization === 'string' ? organization : undefined,
    }
  }
}
