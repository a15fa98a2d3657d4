import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminServer, createAdmin } from '../../src/gateway/admin.ts'
import { rawExchange } from '../support/raw-client.ts'

const admin = adminServer(
  createAdmin({
    readiness: () => ({ isAccepting: true, inFlight: 0, parts: {} }),
    metrics: { text: () => Promise.resolve(''), contentType: 'text/plain' },
  }),
)
let port: number
beforeAll(async () => {
  port = (await admin.listen({ host: '127.0.0.1', port: 0 })).port
})
afterAll(() => admin.close())

test.each([
  ['HTTP/1.0 and no host', 'GET /readyz HTTP/1.0\r\n\r\n'],
  ['HTTP/1.1', 'GET /readyz HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n'],
])('health is told to balancers that ask with %s', async (_, request) => {
  expect((await rawExchange(port, request)).status).toBe(200)
})
