// How an operation leaves the page: as an HTTP request, and a subscription over the transport that the reader chose.
import { getOperationAST, parse, visit } from 'graphql'
import { asError, post, read } from './http.js'
import { askForParts } from './multipart.js'
import { readPerson, renew, staySignedIn } from './session.js'
import { subscribe } from './subscriptions.js'

/** `transport` is asked for each subscription. */
export function createFetcher(key, transport) {
  return async (params, options) => {
    const headers = withKey(key, options?.headers)
    if (!headers.Authorization) await staySignedIn()
    const document = parsed(params.query)
    if (isSubscription(document, params.operationName)) return subscribe(transport(), params, headers)
    return isDeferring(document) ? askForParts(params, headers) : ask(params, headers)
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

function parsed(query) {
  try {
    return parse(query)
  } catch {
    return null // the server says best what is wrong with the text
  }
}

const isSubscription = (document, name) =>
  document !== null && getOperationAST(document, name)?.operation === 'subscription'

function isDeferring(document) {
  let deferring = false
  const Directive = ({ name }) => {
    deferring ||= name.value === 'defer' || name.value === 'stream'
  }
  if (document !== null) visit(document, { Directive })
  return deferring
}

async function ask(params, headers) {
  try {
    const result = await read(await post(params, headers))
    const isLost = result.data?.viewer === null && !headers.Authorization && readPerson()
    return isLost && (await renew()) ? await read(await post(params, headers)) : result
  } catch (reason) {
    throw asError(reason)
  }
}
