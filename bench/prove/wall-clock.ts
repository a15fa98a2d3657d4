import { createServer } from 'node:http'

// Preloaded into a gateway (`--import`): its wall clock runs on, and can be put forward from outside,
// for what would take an hour to see. `POST /MS` at 127.0.0.1:GATEHOUSE_PROVE_CLOCK_PORT does it.
// Clocks that only go forward, and with them timers, are left alone.

const present = Date.now
let aheadMs = 0
Date.now = () => present() + aheadMs

createServer((incoming, outgoing) => {
  aheadMs += Number(incoming.url?.slice(1))
  outgoing.end()
})
  .listen(Number(process.env['GATEHOUSE_PROVE_CLOCK_PORT']), '127.0.0.1')
  .unref()
