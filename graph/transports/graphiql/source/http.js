// An operation as one HTTP request, and its answer.
import { send } from './session.js'

export const ENDPOINT = new URL('/graphql', location.origin)

const ACCEPT = 'application/graphql-response+json, application/json;q=0.9'
const EXCERPT = 500

export const post = (params, headers, signal) =>
  send(ENDPOINT, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: ACCEPT, ...headers },
    body: JSON.stringify(params),
    signal,
  })

/** The result, whatever the status; throws when the answer is none. */
export async function read(response) {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`HTTP ${response.status}: ${text.slice(0, EXCERPT)}`)
  }
}

/** GraphiQL shows the stack too, which says where in this page and not what happened: it is left out. */
export function asError(reason) {
  const closed = reason instanceof CloseEvent && `The socket was closed: ${reason.code} ${reason.reason}`.trim()
  const error = new Error(closed || reason?.message || 'The connection failed.')
  delete error.stack
  return error
}
