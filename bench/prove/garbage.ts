import { z } from 'zod'
import { readUrl } from './read-url.ts'

const targetsSchema = z.array(z.object({ webSocketDebuggerUrl: z.string() }))
const replySchema = z.object({ id: z.literal(1) })

/**
 * Have a process that was started with `--inspect` collect its garbage, so that what its memory
 * holds afterwards is in use.
 */
export async function collectGarbage(inspectorPort: number): Promise<void> {
  const list = await readUrl(`http://127.0.0.1:${inspectorPort}/json`)
  const [target] = targetsSchema.parse(JSON.parse(list))
  if (target === undefined) throw new Error('There is nothing to inspect')
  const socket = new WebSocket(target.webSocketDebuggerUrl)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => {
        socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }))
      }
      socket.onmessage = ({ data }) => {
        if (replySchema.safeParse(JSON.parse(String(data))).success) resolve()
      }
      socket.onerror = () => {
        reject(new Error('The inspector does not answer'))
      }
    })
  } finally {
    socket.close()
  }
}
