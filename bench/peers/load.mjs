// One round of load, as told by JSON on standard input: { url, headers, connections, seconds, bodies, asks, least }.
// `asks` has a list of indices into `bodies` for each connection, which goes round it. An answer shorter than `least` is
// counted as a mismatch. It goes on for so many seconds, and until each connection had two answers or so. What was found is
// said as JSON on standard output.
import autocannon from 'autocannon'
import { json } from 'node:stream/consumers'

const PATIENCE_SECONDS = 300

const { url, headers, connections, seconds, bodies, asks, least } = await json(process.stdin)

let number = 0
function setupClient (client) {
  client.setRequests(asks[number++ % asks.length].map((index) => ({ method: 'POST', headers, body: bodies[index] })))
}

const verifyBody = (body) => body.length >= least
const load = autocannon({
  url,
  connections,
  duration: PATIENCE_SECONDS,
  timeout: PATIENCE_SECONDS,
  sampleInt: 100, // how soon it stops
  method: 'POST',
  headers,
  body: bodies[0],
  setupClient,
  verifyBody
})

const took = []
let good = 0
let first
let last
load.on('start', () => { first = performance.now() })
load.on('response', (_client, status, _bytes, milliseconds) => {
  if (status === 200) good++
  took.push(milliseconds)
  last = performance.now()
  if (last - first > seconds * 1000 && took.length >= 2 * connections) load.stop()
})

const { errors, timeouts, mismatches } = await load
took.sort((one, other) => one - other)
const percentile = (share) => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? null
console.log(JSON.stringify({
  good,
  bad: took.length - good + errors + timeouts + mismatches,
  seconds: (last - first) / 1000,
  p50: percentile(0.5),
  p99: percentile(0.99)
}))
