// urql: https://nearform.com/open-source/urql/docs
import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { persistedExchange } from '@urql/exchange-persisted'
import { createClient } from 'graphql-ws'
import { play } from './lines.mjs'
import { ASK, VIEWER, WATCH } from './operations.mjs'
import WebSocket from './sockets.mjs'

const DEFERRED = `query Deferred { viewer { key { name } ... @defer(label: "later") { workspaces { nodes { slug } } } } }`

const connected = ({ url, key, accept, fetches = [], ...options }) =>
  new Client({
    url,
    fetchOptions: { headers: { authorization: `Bearer ${key}`, ...(accept && { accept }) } },
    fetch: async (address, init) => {
      const response = await fetch(address, init)
      const [type] = response.headers.get('content-type').split(';')
      const said = init.body ? JSON.parse(init.body) : Object.fromEntries(new URL(address).searchParams)
      fetches.push([init.method, response.status, type, Object.keys(said).sort().join(' ')])
      return response
    },
    exchanges: [fetchExchange],
    ...options,
  })

const overSockets = ({ url, key }) => {
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${key}` },
  })
  return subscriptionExchange({
    enableAllOperations: true,
    forwardSubscription: (request) => ({
      subscribe: (sink) => ({ unsubscribe: client.subscribe({ ...request, query: request.query ?? '' }, sink) }),
    }),
  })
}

const result = ({ data, error }) => (error ? { data, errors: error.graphQLErrors, network: error.networkError?.message } : { data })

// All results of an operation that ends.
const results = (source) =>
  new Promise((resolve) => {
    const found = []
    source.subscribe((each) => {
      found.push(result(each))
      if (!each.hasNext) resolve(found)
    })
  })

const asked = async (client, wish) => {
  const viewer = result(await client.query(VIEWER, {}))
  const payload = result(await client.mutation(ASK, { input: wish }))
  const progress = []
  await new Promise((resolve) => {
    client.subscription(WATCH, { audit: payload.data.auditRequest.audit.id }).subscribe((each) => {
      progress.push(result(each))
      if (each.data?.auditProgress.phase === 'ENDED') resolve()
    })
  })
  return { viewer, payload, progress }
}

await play({
  async http({ url, key, accept, wish }) {
    const fetches = []
    const client = connected({ url, key, accept, fetches, fetchSubscriptions: true })
    const invalid = result(await client.query('{ nothing }', {}))
    return { ...(await asked(client, wish)), invalid, fetches }
  },

  async sockets({ url, key, wish }) {
    const client = connected({ url, key, exchanges: [overSockets({ url, key })] })
    const invalid = result(await client.query('{ nothing }', {}))
    return { ...(await asked(client, wish)), invalid }
  },

  // The first client sends its text once, the second never.
  async automatic({ url, key, text }) {
    const fetches = []
    const exchanges = [persistedExchange(), fetchExchange]
    const ask = async () => result(await connected({ url, key, fetches, exchanges }).query(text, {}))
    return { found: [await ask(), await ask()], fetches }
  },

  async registered({ url, key, wish }) {
    const fetches = []
    const persisted = persistedExchange({
      enforcePersistedQueries: true,
      enableForMutation: true,
      enableForSubscriptions: true,
      generateHash: async (text) => ({ [VIEWER]: 'viewer', [ASK]: 'ask', [WATCH]: 'watch' })[`${text}\n`] ?? 'nothing',
    })
    const exchanges = [persisted, fetchExchange]
    const client = connected({ url, key, fetches, exchanges, fetchSubscriptions: true })
    const unknown = result(await client.query('{ unknown: __typename }', {}))
    return { ...(await asked(client, wish)), unknown, fetches }
  },

  async deferred({ url, key }) {
    const fetches = []
    const found = await results(connected({ url, key, fetches }).query(DEFERRED, {}))
    return { found, fetches }
  },
})
