// Answers in parts, multipart/mixed: the events of a subscription, and what an operation defers.
import { asError, post, read } from './http.js'

const EVENTS = 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0, application/json'
const DEFERRED = 'multipart/mixed;incrementalSpec=v0.2, application/json'
const BOUNDARY = /^multipart\/mixed;.*boundary="?([^";]+)/i

/** A client with the one method of graphql-ws's and graphql-sse's. */
export const createClient = ({ headers }) => ({
  subscribe(params, sink) {
    const request = new AbortController()
    const follow = async () => {
      for await (const result of events(params, headers, request.signal)) sink.next(result)
      sink.complete()
    }
    follow().catch((reason) => request.signal.aborted || sink.error(reason))
    return () => request.abort()
  },
})

/** The first part and those that follow; one result where nothing is deferred after all. */
export async function* askForParts(params, headers) {
  try {
    yield* bodies(await post(params, { Accept: DEFERRED, ...headers }))
  } catch (reason) {
    throw asError(reason)
  }
}

async function* events(params, headers, signal) {
  for await (const { payload, errors } of bodies(await post(params, { Accept: EVENTS, ...headers }, signal))) {
    if (payload) yield payload // a part without one only keeps the connection open
    if (errors) {
      yield { errors } // of the connection: nothing comes after them
      return
    }
  }
}

async function* bodies(response) {
  const boundary = BOUNDARY.exec(response.headers.get('Content-Type'))?.[1]
  if (boundary) yield* parts(response.body, `\r\n--${boundary}`)
  else yield await read(response) // refused before it began
}

/** Each part's JSON, as soon as the delimiter behind it is there, however the network cuts the text. */
async function* parts(stream, delimiter) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader()
  let text = '\r\n' // the first delimiter may be what comes first
  let begun = false
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      const pieces = (text + chunk.value).split(delimiter)
      text = pieces.pop()
      for (const piece of pieces) {
        if (begun) yield JSON.parse(piece.slice(piece.indexOf('\r\n\r\n') + 4))
        begun = true // what stands before the first delimiter is no part
      }
      if (begun && text.startsWith('--')) return
    }
  } finally {
    await reader.cancel()
  }
  throw new Error('The connection ended before the answer did.')
}
