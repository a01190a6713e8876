// graphql-ws: https://the-guild.dev/graphql/ws
import { createClient } from 'graphql-ws'
import { hear, play, say } from './lines.mjs'
import { ASK, FOLLOW, NOWHERE, VIEWER, WATCH, uncosted } from './operations.mjs'
import WebSocket from './sockets.mjs'

const connected = ({ url, key, ...options }) =>
  createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: key && { Authorization: `Bearer ${key}` },
    ...options,
  })

// All results of an operation, and how it ended.
const results = (client, payload) =>
  new Promise((resolve) => {
    const found = []
    client.subscribe(payload, {
      next: (result) => found.push(uncosted(result)),
      error: (error) => resolve({ found, error: Array.isArray(error) ? error : [error.code, error.reason ?? String(error)] }),
      complete: () => resolve({ found }),
    })
  })

// A workspace's events until an audit is finished; after a retry it goes on behind the last that it saw.
const followed = async (client, { workspace, after }, each = () => {}) => {
  const found = []
  const variables = { workspace, after }
  for await (const { data } of client.iterate({ query: FOLLOW, variables })) {
    const event = data.workspaceEvents
    found.push(event)
    variables.after = event.cursor
    each(event)
    if (event.kind === 'AUDIT_FINISHED') break
  }
  return found
}

const watched = () => {
  const seen = { opened: 0, closed: [] }
  const on = { opened: () => seen.opened++, closed: ({ code, reason }) => seen.closed.push([code, reason]) }
  return { seen, on }
}

await play({
  async operations({ url, key, wish, workspace, after }) {
    const { seen, on } = watched()
    const client = connected({ url, key, on, lazy: false })
    const viewer = results(client, { query: VIEWER })
    const following = followed(client, { workspace, after })
    const payload = await results(client, { query: ASK, variables: { input: wish } })
    const { audit } = payload.found[0].data.auditRequest
    const progress = await results(client, { query: WATCH, variables: { audit: audit.id } })
    return { viewer: await viewer, payload, progress, events: await following, ...seen }
  },

  async failures({ url, key, workspace }) {
    const { seen, on } = watched()
    const client = connected({ url, key, on, lazy: false })
    const events = client.iterate({ query: FOLLOW, variables: { workspace } })
    const first = (await events.next()).value.data.workspaceEvents.__typename
    const invalid = await results(client, { query: '{ nothing }' })
    const unsound = await results(client, { query: WATCH })
    const missing = await results(client, { query: WATCH, variables: { audit: NOWHERE } })
    const after = await results(client, { query: '{ __typename }' })
    await events.return()
    return { first, invalid, unsound, missing, after, ...seen }
  },

  async lazy({ url, key }) {
    const { seen, on } = watched()
    const client = connected({ url, key, on })
    const unasked = seen.opened
    const two = await Promise.all(['{ a: __typename }', '{ b: __typename }'].map((query) => results(client, { query })))
    await new Promise((resolve) => client.on('closed', resolve))
    const three = [...two, await results(client, { query: '{ c: __typename }' })]
    return { unasked, results: three.map(({ found }) => found), ...seen }
  },

  async eager({ url, key }) {
    const { seen, on } = watched()
    const client = connected({ url, key, on, lazy: false, keepAlive: 50 })
    const answered = await new Promise((resolve) => client.on('pong', resolve))
    return { answered, asked: await results(client, { query: '{ __typename }' }), ...seen }
  },

  strangers: ({ url }) => results(connected({ url }), { query: VIEWER }),

  refused: ({ url }) => results(connected({ url, key: 'pmk_none', retryAttempts: 0 }), { query: VIEWER }),

  // Whoever runs it gives the key each time that it connects, and says when to come back.
  async follow({ url, workspace, after }) {
    const client = connected({
      url,
      connectionParams: async () => {
        say('which key?')
        return { Authorization: `Bearer ${await hear()}` }
      },
      retryWait: async () => {
        say('may I?')
        await hear()
      },
      on: { closed: ({ code, reason }) => code !== 1000 && say([code, reason]) },
    })
    await followed(client, { workspace, after }, say)
  },

  // The client sends nothing without a text; an empty one stands for none.
  async documents({ url, key, hash, audit }) {
    const client = connected({ url, key })
    return Promise.all([
      results(client, { query: '', documentId: 'viewer' }),
      results(client, { query: '', documentId: `sha256:${hash}` }),
      results(client, { query: '', extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }),
      results(client, { query: '', documentId: 'watch', variables: { audit } }),
      results(client, { query: '', documentId: 'nothing' }),
      results(client, { query: VIEWER }),
    ])
  },
})
