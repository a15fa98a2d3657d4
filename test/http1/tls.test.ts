import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createAuthority } from '../support/certificates.ts'
import { call } from './call.ts'
import { answering, at, ok, peerOn, turnsUntil } from './peer.ts'
import { poolTo } from './scene.ts'

let folder: string
let own: { readonly cert: string; readonly key: string }
let ca: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-http1-'))
  const authority = await createAuthority(folder)
  const { certificate, key } = await authority.sign('peer')
  ca = await readFile(authority.certificate, 'utf8')
  own = { cert: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') }
})
afterAll(() => rm(folder, { recursive: true }))

async function startTlsPeer(options: TlsOptions = {}) {
  const server = createTlsServer({ ...own, noDelay: true, ALPNProtocols: ['http/1.1'], ...options })
  server.on('tlsClientError', () => undefined)
  const peer = await peerOn(server, 'https')
  onTestFinished(() => peer.close())
  peer.listener = answering(ok)
  return peer
}

const tlsOf = ({ socket }: { readonly socket: unknown }): TLSSocket => socket as TLSSocket

test('requests go over TLS, one after another on one connection', async () => {
  const peer = await startTlsPeer()
  const pool = poolTo(peer.url, { connections: 1, tls: { ca } })
  const calls = ['/1', '/2', '/3'].map((target) => call(pool, { target }))
  for (const [place, { answer }] of calls.entries()) {
    expect((await answer).body).toBe(`/${place + 1}`)
  }
  expect(peer.connections).toHaveLength(1)
  expect(tlsOf(at(peer.connections, 0)).alpnProtocol).toBe('http/1.1')
  await pool.close()
  await turnsUntil(() => peer.open() === 0)
})

test('another connection goes on with the session of the one before', async () => {
  const peer = await startTlsPeer()
  const pool = poolTo(peer.url, { connections: 1, tls: { ca } })
  const reused: boolean[] = []
  peer.onConnection = (connection) => {
    reused.push(tlsOf(connection).isSessionReused())
  }
  peer.listener = answering((target) => ok(target, 'Connection: close'))
  for (const target of ['/1', '/2', '/3']) await call(pool, { target }).answer
  expect(reused).toEqual([false, true, true])
})

test('a name is asked for by its name, and held against the certificate', async () => {
  const names: string[] = []
  const peer = await startTlsPeer({
    SNICallback: (name, done) => {
      names.push(name)
      done(null)
    },
  })
  const url = new URL(`https://localhost:${peer.port}`)
  await call(poolTo(url, { tls: { ca } })).answer
  await call(poolTo(peer.url, { tls: { ca } })).answer
  expect(names, 'an address is no name').toEqual(['localhost'])
})

test('a certificate of somebody else is refused, and nothing is sent', async () => {
  const peer = await startTlsPeer()
  const pool = poolTo(peer.url, { connections: 1 })
  for (let count = 0; count < 2; count++) {
    const request = call(pool, { fields: ['authorization', 'secret'] })
    await expect(request.answer).rejects.toMatchObject({
      code: expect.stringMatching(/UNABLE_TO_VERIFY|SELF_SIGNED/) as string,
    })
    expect(request.heard.isStarted).toBe(false)
  }
  await turnsUntil(() => peer.open() === 0)
  expect(peer.connections.map(({ text }) => text).join('')).toBe('')
  expect(pool.size).toBe(0)
})

test('a certificate for another name is refused, and nothing is sent', async () => {
  // The authority's own, which names nobody.
  const peer = await startTlsPeer({ cert: ca, key: await readFile(join(folder, 'ca.key'), 'utf8') })
  const { answer, heard } = call(poolTo(peer.url, { tls: { ca } }))
  await expect(answer).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  expect(heard.isStarted).toBe(false)
  await turnsUntil(() => peer.open() === 0)
  expect(peer.connections.map(({ text }) => text).join('')).toBe('')
})

test('a peer without TLS is a failure', async () => {
  const peer = await peerOn(createServer(), 'http')
  onTestFinished(() => peer.close())
  peer.onConnection = (connection) => {
    connection.write(ok('plain'))
  }
  const { answer, heard } = call(poolTo(new URL(`https://127.0.0.1:${peer.port}`)))
  await expect(answer).rejects.toThrow(/ssl|wrong version|packet/i)
  expect(heard.isStarted).toBe(false)
})

test('the other end is shown what it asks for', async () => {
  const peer = await startTlsPeer({ requestCert: true, rejectUnauthorized: true, ca })
  expect((await call(poolTo(peer.url, { tls: { ca, ...own } })).answer).status).toBe(200)
  await expect(call(poolTo(peer.url, { tls: { ca } })).answer).rejects.toBeInstanceOf(Error)
})

test('a large body arrives whole, held back or not', async () => {
  const peer = await startTlsPeer()
  const large = Buffer.alloc(5_000_000, 'abcdefg')
  peer.listener = ({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`)
    socket.write(large)
  }
  const pool = poolTo(peer.url, { connections: 1, tls: { ca } })
  const held = call(
    pool,
    {},
    {
      onPiece: (control) => {
        control.pause()
        setImmediate(() => {
          control.resume()
        })
      },
    },
  )
  const free = call(pool)
  for (const { answer } of [held, free]) {
    expect(Buffer.from((await answer).body, 'latin1').equals(large)).toBe(true)
  }
  expect(peer.connections).toHaveLength(1)
})

test('what nobody asked for closes the connection', async () => {
  const peer = await startTlsPeer()
  const pool = poolTo(peer.url, { connections: 1, tls: { ca } })
  await call(pool).answer
  at(peer.connections, 0).write(ok('EVIL'))
  await turnsUntil(() => peer.open() === 0)
  expect((await call(pool, { target: '/mine' }).answer).body).toBe('/mine')
  expect(peer.connections).toHaveLength(2)
})
