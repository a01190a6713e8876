// Many subscribers in one process, over WebSocket (graphql-transport-ws) or SSE (a request each), told what to do by lines
// of JSON on standard input, each answered by one on standard output. It ends with its input.
import http from 'node:http'
import readline from 'node:readline'
import WebSocket from 'ws'

const AT_ONCE = 50
const EVENT = '"AuditEvent"'
const LINE_END = /\r?\n/
const BLANK_LINE = /\r?\n\r?\n/

let subscribers = []
let expected = null

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')
const fail = (problem) => {
  say({ problem: String(problem) })
  process.exitCode = 1
  process.stdout.write('', () => process.exit())
}
// The monotonic clock, which all processes of a machine share.
const now = () => Number(process.hrtime.bigint()) / 1e6

class Subscriber {
  #live
  #dead
  #number = 0

  constructor () {
    this.live = new Promise((resolve, reject) => {
      this.#live = resolve
      this.#dead = reject
    })
  }

  // Whatever the server says, as text, without delay between its coming and the clock.
  heard (text) {
    if (!text.includes(EVENT)) return false
    expected?.take(++this.#number, text)
    return true
  }

  result (payload) {
    const event = payload.data?.workspaceEvents
    if (!event) this.lost(JSON.stringify(payload))
    else if (event.__typename === 'Checkpoint') this.#live()
    else this.lost(`a subscriber heard ${event.__typename}`)
  }

  lost (why) {
    this.#dead(why)
    fail(why)
  }
}

// One event at all subscribers. Each is to have it once, and before the next one happens.
class Expected {
  #times = []
  #texts = []
  #began = process.cpuUsage()

  constructor (round, seconds) {
    this.round = round
    this.seconds = seconds
    this.timer = setTimeout(() => fail(`${this.#times.length} of ${subscribers.length} had an event within ${seconds} s`), seconds * 1000)
  }

  take (number, text) {
    this.#times.push(now())
    if (number !== this.round) return fail(`a subscriber had ${number} events where ${this.round} happened`)
    this.#texts.push(text)
    if (this.#times.length < subscribers.length) return
    clearTimeout(this.timer)
    const { user, system } = process.cpuUsage(this.#began)
    say({ times: this.#times, texts: [...new Set(this.#texts)].slice(0, 10), processor: (user + system) / 1000 })
  }
}

function overWebSocket ({ url, headers, query, variables }) {
  const subscriber = new Subscriber()
  const socket = new WebSocket(url.replace('http:', 'ws:'), 'graphql-transport-ws', {
    perMessageDeflate: false,
    skipUTF8Validation: true
  })
  socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: headers })))
  socket.on('message', (data) => {
    const text = data.latin1Slice()
    if (subscriber.heard(text)) return
    const message = JSON.parse(data)
    if (message.type === 'connection_ack') {
      socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query, variables } }))
    } else if (message.type === 'ping') socket.send('{"type":"pong"}')
    else if (message.type === 'next') subscriber.result(message.payload)
    else if (message.type !== 'pong') subscriber.lost(data)
  })
  socket.on('close', (code, reason) => subscriber.lost(`a WebSocket was closed: ${code} ${reason}`))
  socket.on('error', (error) => subscriber.lost(error))
  return subscriber
}

function overEventStream ({ url, headers, query, variables }) {
  const subscriber = new Subscriber()
  const sent = { ...headers, accept: 'text/event-stream', 'content-type': 'application/json' }
  const request = http.request(url, { method: 'POST', agent: false, headers: sent }, (response) => {
    if (response.statusCode !== 200) subscriber.lost(`a stream was answered ${response.statusCode}`)
    let rest = ''
    response.on('data', (data) => {
      const blocks = (rest + data.latin1Slice()).split(BLANK_LINE)
      rest = blocks.pop()
      for (const block of blocks) {
        if (subscriber.heard(block)) continue
        const lines = block.split(LINE_END)
        if (lines.includes('event: complete')) return subscriber.lost('a stream was completed')
        const line = lines.find((each) => each.startsWith('data:'))
        if (line && lines.includes('event: next')) subscriber.result(JSON.parse(line.slice(5)))
      }
    })
    response.on('close', () => subscriber.lost('a stream was closed'))
  })
  request.on('error', (error) => subscriber.lost(error))
  request.end(JSON.stringify({ query, variables }))
  return subscriber
}

const TRANSPORTS = { ws: overWebSocket, sse: overEventStream }

// So many subscribers, which have all been told that they are live.
async function connect (command) {
  const timer = setTimeout(() => fail(`no ${command.count} subscribers within ${command.seconds} s`), command.seconds * 1000)
  const one = async () => {
    while (subscribers.length < command.count) {
      const subscriber = TRANSPORTS[command.transport](command)
      subscribers.push(subscriber)
      await subscriber.live
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, command.count) }, one))
  clearTimeout(timer)
  say({ live: subscribers.length })
}

function expect ({ round, seconds }) {
  expected = new Expected(round, seconds)
  say({ expecting: round })
}

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line)
    command.do === 'connect' ? connect(command).catch(() => {}) : expect(command)
  })
  .on('close', () => process.exit())
