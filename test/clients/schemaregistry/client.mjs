import { text } from 'node:stream/consumers'
import { SchemaRegistryClient } from '@confluentinc/schemaregistry'

// A process of its own, since the client has dependencies of its own: `{configuration, calls}` on
// standard input, where a call is a method and its arguments; what came of each on standard output.

const { configuration, calls } = JSON.parse(await text(process.stdin))
const client = SchemaRegistryClient.newClient(configuration)
const outcomes = []
for (const [method, ...args] of calls) {
  try {
    outcomes.push({ value: await client[method](...args) })
  } catch ({ status, errorCode, message }) {
    outcomes.push({ error: { status, errorCode, message } })
  }
}
client.close()
process.stdout.write(JSON.stringify(outcomes))
