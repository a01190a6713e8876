// How an operation leaves the page: by HTTP, and a subscription by WebSocket or server-sent events.
import { getOperationAST, parse } from 'graphql'
import { createClient as createEventsClient } from 'graphql-sse'
import { createClient as createSocketClient } from 'graphql-ws'

const ENDPOINT = new URL('/graphql', location.origin)
const SOCKET_ENDPOINT = new URL(ENDPOINT)
SOCKET_ENDPOINT.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'

const ACCEPT = 'application/graphql-response+json, application/json;q=0.9'
const EXCERPT = 500

/** `transport` is asked for each subscription and answers `websocket` or `sse`. */
export function createFetcher(key, transport) {
  return (params, options) => {
    const headers = withKey(key, options?.headers)
    if (!isSubscription(params)) return ask(params, headers)
    const client = transport() === 'sse' ? eventsClient(headers) : socketClient(headers)
    return observe(client, params)
  }
}

/** Whether the server knows the key: the viewer is null for a stranger. Throws when it does not say. */
export async function isKeyAccepted(key, signal) {
  const response = await post({ query: '{ viewer { __typename } }' }, withKey(key), signal)
  if ([401, 403].includes(response.status)) return false
  const { data } = await read(response)
  return data.viewer !== null
}

/** The reader's own headers win; this one has one spelling, since names in a WebSocket's payload keep their case. */
function withKey(key, given = {}) {
  const spell = (name) => (/^authorization$/i.test(name) ? 'Authorization' : name)
  const own = Object.entries(given).map(([name, value]) => [spell(name), value])
  return { ...(key && { Authorization: `Bearer ${key}` }), ...Object.fromEntries(own) }
}

function isSubscription({ query, operationName }) {
  try {
    return getOperationAST(parse(query), operationName)?.operation === 'subscription'
  } catch {
    return false // the server says best what is wrong with the text
  }
}

async function ask(params, headers) {
  try {
    return await read(await post(params, headers))
  } catch (reason) {
    throw asError(reason)
  }
}

const post = (params, headers, signal) =>
  fetch(ENDPOINT, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: ACCEPT, ...headers },
    body: JSON.stringify(params),
    signal,
  })

async function read(response) {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`HTTP ${response.status}: ${text.slice(0, EXCERPT)}`)
  }
}

// One client a subscription: each begins with the headers of its own moment, and ends with its connection.
const socketClient = (headers) =>
  createSocketClient({ url: SOCKET_ENDPOINT.href, connectionParams: headers, retryAttempts: 0 })

const eventsClient = (headers) => createEventsClient({ url: ENDPOINT.href, headers, retryAttempts: 0 })

function observe(client, params) {
  return {
    subscribe(sink) {
      const release = client.subscribe(params, {
        next: (result) => sink.next(result),
        complete: () => sink.complete(),
        error(reason) {
          if (!Array.isArray(reason)) return sink.error(asError(reason))
          sink.next({ errors: reason }) // graphql-ws hands over the errors of a refused operation as they are
          return sink.complete()
        },
      })
      return { unsubscribe: release }
    },
  }
}

/** GraphiQL shows the stack too, which says where in this page and not what happened: it is left out. */
function asError(reason) {
  const closed = reason instanceof CloseEvent && `The socket was closed: ${reason.code} ${reason.reason}`.trim()
  const error = new Error(closed || reason?.message || 'The connection failed.')
  delete error.stack
  return error
}
