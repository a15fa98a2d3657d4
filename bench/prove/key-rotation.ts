import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { createCaller, urlsOf, type Caller } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openLoop, pause } from './load.ts'
import { actor, clientToken, createClient, openTokenHouse, type TokenHouse } from './token-house.ts'

export const keyRotation: Experiment = {
  name: 'key-rotation',
  shows:
    'Signing keys that rotate under load cost nobody a token: each passes at every gateway until it ends, and its key stood in the key set of every gateway before it was used',
  accepts: [],
  run: prove,
}

const gateways = 2
const rotations = 6
const everyMs = 12_000
/** How long the next key is published before it takes over: less than between two rotations. */
const publishedMs = 5_000
/** The shortest that there is. */
const lifetimeSeconds = 60
/** Past the end of the last token that it signed, for clocks that differ. */
const keepMs = (lifetimeSeconds + 20) * 1_000
const tokensPerSecond = 20
/** Ages at which each token is presented to every gateway. */
const presentedAtMs = [0, 1_000, 15_000, 30_000, 45_000, 58_500]
/** The exact end is the second that `exp` names, and ten more for clocks that differ. */
const overAtMs = (lifetimeSeconds + 12) * 1_000

type Counts = {
  issued: number
  presented: number
  refused: number
  notPublished: number
  endless: number
  readonly kids: Set<string>
}

async function prove(): Promise<Outcome> {
  await using house = await openTokenHouse({
    gateways,
    tokens: { partnerLifetimeSeconds: lifetimeSeconds },
  })
  const urls = urlsOf(house.fleet.gateways)
  await using caller = createCaller(urls, 64)
  const client = await createClient(house)
  const counts: Counts = newCounts()
  let turn = 0
  const load = openLoop(tokensPerSecond, async () => {
    const url = urls[turn++ % urls.length] ?? ''
    // What every gateway published before the token was asked for.
    const published = await Promise.all(urls.map(publishedAt))
    const token = await clientToken(url, client.authorization)
    await follow(token, published, { caller, counts })
  })
  await rotateUnderLoad(house)
  await load.stop()
  const isUsed = counts.kids.size >= rotations
  return {
    figure: `${rotations} rotations under load: ${count(counts.issued)} tokens by ${counts.kids.size} keys, presented ${count(counts.presented)} times from their first moment to their last, ${count(counts.refused)} times refused; ${count(counts.notPublished)} signed by a key that a gateway had not published; ${count(counts.endless)} good after their end`,
    goal: `at least ${rotations} keys, 0 refused, 0 not published, 0 good after their end`,
    isMet: isUsed && counts.refused === 0 && counts.notPublished === 0 && counts.endless === 0,
  }
}

function newCounts(): Counts {
  return { issued: 0, presented: 0, refused: 0, notPublished: 0, endless: 0, kids: new Set() }
}

/** At full load until the last of them; then as long as nothing is missed of the keys' ends. */
async function rotateUnderLoad({ fleet }: TokenHouse): Promise<void> {
  const rotation = {
    algorithm: 'EdDSA',
    minPublishedMs: publishedMs,
    keepPreviousMs: keepMs,
  } as const
  for (let n = 0; n < rotations; n++) {
    await pause(everyMs)
    await fleet.directory.keyRotation.rotate(rotation, actor)
  }
  await pause(everyMs)
}

async function publishedAt(url: string): Promise<JSONWebKeySet> {
  const response = await fetch(`${url}/oauth2/jwks.json`)
  return (await response.json()) as JSONWebKeySet
}

/** Present a token at all its ages, and once more when it is over. */
async function follow(
  token: string,
  published: readonly JSONWebKeySet[],
  { caller, counts }: { readonly caller: Caller; readonly counts: Counts },
): Promise<void> {
  const issuedMs = performance.now()
  const call = { path: '/partner/hello', authorization: `Bearer ${token}` }
  counts.issued += 1
  counts.kids.add(decodeProtectedHeader(token).kid ?? '')
  const checks = await Promise.allSettled(
    published.map((keySet) => jwtVerify(token, createLocalJWKSet(keySet))),
  )
  if (checks.some(({ status }) => status === 'rejected')) counts.notPublished += 1
  for (const ageMs of presentedAtMs) {
    await pause(Math.max(0, issuedMs + ageMs - performance.now()))
    for (let gateway = 0; gateway < gateways; gateway++) {
      counts.presented += 1
      if ((await caller.call(call)) !== 200) counts.refused += 1
    }
  }
  await pause(Math.max(0, issuedMs + overAtMs - performance.now()))
  if ((await caller.call(call)) !== 401) counts.endless += 1
}
