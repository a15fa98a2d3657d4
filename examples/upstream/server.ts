import { createServer } from 'node:http'
import { createAssertionVerifier } from './verify-assertion.ts'

// A service that says who calls it, and believes nobody but the gateway:
// ISSUER=https://api.example.com AUDIENCE=orders KEY_SET=http://127.0.0.1:8080/oauth2/jwks.json node server.ts
const { ISSUER = '', AUDIENCE = '', KEY_SET = '', PORT = '8090' } = process.env
const callerOf = createAssertionVerifier(ISSUER, AUDIENCE, KEY_SET)

createServer((incoming, outgoing) => {
  const field = incoming.headers['gatehouse-assertion']
  callerOf(typeof field === 'string' ? field : undefined).then(
    (caller) => {
      outgoing.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(caller))
    },
    () => {
      outgoing.writeHead(403).end()
    },
  )
}).listen(Number(PORT), '127.0.0.1')
