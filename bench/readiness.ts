import { until } from '../test/support/until.ts'
import { measuredPath, type Contestant, type Surroundings } from './contestants/contestant.ts'

const startDeadlineMs = 30_000

/**
 * Wait until a contestant answers, and hold it to its work: the upstream's own body for a valid key,
 * with the fields it must set, and 401 for a wrong secret.
 *
 * @throws {Error} where it ends, does not become ready or does something else
 */
export async function assertServes(
  contestant: Contestant,
  { upstream, users }: Surroundings,
): Promise<void> {
  const { name, port, server, requiredFields } = contestant
  const ask = (authorization: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${measuredPath}`, {
      headers: { authorization },
      signal: AbortSignal.timeout(5_000),
    })
  const [user] = users
  if (user === undefined) throw new Error('There are no users')
  await until(async () => {
    server.assertRuns()
    return ask(`Basic ${user.basic}`).then(
      async (response) => (await response.text()) !== '' && response.status === 200,
      // Not up yet.
      () => false,
    )
  }, startDeadlineMs)
  const response = await ask(`Basic ${user.basic}`)
  const missing = requiredFields.filter((field) => !response.headers.has(field))
  if ((await response.text()) !== upstream.body) throw new Error(`${name} changed the body`)
  if (missing.length > 0) throw new Error(`${name} does not send ${missing.join(', ')}`)
  if (requiredFields.length === 0) return
  const wrong = Buffer.from(`${user.keyId}:wrong`).toString('base64')
  const refusal = await ask(`Basic ${wrong}`)
  await refusal.body?.cancel()
  if (refusal.status !== 401) throw new Error(`${name} takes a wrong secret`)
  // Another process might have answered on the port.
  server.assertRuns()
}
