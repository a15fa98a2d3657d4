import type { Behaviour } from '../../support/recording-upstream.ts'

/** The connection breaks before anything is answered. */
export const breaks: Behaviour = ({ socket }) => socket.destroy()

/** Answer with a status and no body. */
export function answers(status: number, fields: Readonly<Record<string, string>> = {}): Behaviour {
  return (_incoming, outgoing) => {
    outgoing.writeHead(status, fields)
    outgoing.end()
  }
}
