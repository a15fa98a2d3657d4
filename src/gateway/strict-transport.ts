/** The field that tells browsers never to come without TLS (RFC 6797 §6.1). */
export const securityField = 'Strict-Transport-Security'
