// The transports of subscriptions, and which of them the reader chose.
import { createClient as createEventsClient } from 'graphql-sse'
import { CloseCode, createClient as createSocketClient } from 'graphql-ws'
import { ENDPOINT, asError, read } from './http.js'
import { createClient as createPartsClient } from './multipart.js'
import { renew, send } from './session.js'

const SLOT = 'pacemark.transport'
const SOCKET_ENDPOINT = new URL(ENDPOINT)
SOCKET_ENDPOINT.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'

// One client a subscription: each begins with the headers of its own moment, and ends with its connection.
const CLIENTS = {
  websocket: createOneSocketClient,
  sse: (headers) => createEventsClient({ url: ENDPOINT.href, headers, retryAttempts: 0, fetchFn: send }),
  multipart: (headers) => createPartsClient({ headers }),
}

/** Refused by its cookie before it began, it begins again with the next. */
function createOneSocketClient(headers) {
  let begun = false
  return createSocketClient({
    url: SOCKET_ENDPOINT.href,
    connectionParams: headers,
    on: {
      connected() {
        begun = true
      },
    },
    retryAttempts: headers.Authorization ? 0 : 1,
    shouldRetry: ({ code }) => code === CloseCode.Forbidden && !begun,
    retryWait: () => renew().catch(() => false),
  })
}

export const TRANSPORTS = { websocket: 'WebSocket', sse: 'SSE', multipart: 'Multipart' }

export function readTransport() {
  const kept = localStorage.getItem(SLOT)
  return Object.hasOwn(TRANSPORTS, kept) ? kept : 'websocket'
}

export const keepTransport = (transport) => localStorage.setItem(SLOT, transport)

/** What GraphiQL can observe; a refusal comes as a result, a broken connection as an error. */
export function subscribe(transport, params, headers) {
  const client = CLIENTS[transport](headers)
  return {
    subscribe(sink) {
      const release = client.subscribe(params, {
        next: (result) => sink.next(result),
        complete: () => sink.complete(),
        error: (reason) => tell(reason, sink),
      })
      return { unsubscribe: release }
    },
  }
}

async function tell(reason, sink) {
  try {
    sink.next(await refusal(reason))
    sink.complete()
  } catch {
    sink.error(asError(reason))
  }
}

/** graphql-ws hands over the errors of a refused operation as they are, graphql-sse the response. Throws for all else. */
async function refusal(reason) {
  if (Array.isArray(reason)) return { errors: reason }
  return read(reason.response)
}
