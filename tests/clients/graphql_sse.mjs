// graphql-sse, in both of its modes: https://the-guild.dev/graphql/sse
import { createClient } from 'graphql-sse'
import { hear, play, say } from './lines.mjs'
import { ASK, FOLLOW, NOWHERE, VIEWER, WATCH, uncosted } from './operations.mjs'

const connected = ({ url, key, single, ...options }) =>
  createClient({
    url: single ? `${url}/stream` : url,
    singleConnection: single,
    headers: key && { authorization: `Bearer ${key}` },
    retryAttempts: 0,
    ...options,
  })

// All results of an operation, and how it ended. An answer that is no stream is the error's; what it says can be read in
// distinct mode only, in the other the client has stopped it by then.
const results = (client, payload) =>
  new Promise((resolve) => {
    const found = []
    client.subscribe(payload, {
      next: (result) => found.push(uncosted(result)),
      error: async ({ message, response }) => resolve({ found, error: [message, await response?.json().catch(() => null)] }),
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

await play({
  async operations({ url, key, single, wish, workspace, after }) {
    let connections = 0
    const client = connected({ url, key, single, lazyCloseTimeout: 500, on: { connected: () => connections++ } })
    const viewer = results(client, { query: VIEWER })
    const following = followed(client, { workspace, after })
    const payload = await results(client, { query: ASK, variables: { input: wish } })
    const { audit } = payload.found[0].data.auditRequest
    const progress = await results(client, { query: WATCH, variables: { audit: audit.id } })
    return { viewer: await viewer, payload, progress, events: await following, connections }
  },

  async failures({ url, key, single, workspace }) {
    const client = connected({ url, key, single })
    const events = client.iterate({ query: FOLLOW, variables: { workspace } })
    const first = (await events.next()).value.data.workspaceEvents.__typename
    const invalid = await results(client, { query: '{ nothing }' })
    const unsound = await results(client, { query: WATCH })
    const missing = await results(client, { query: WATCH, variables: { audit: NOWHERE } })
    const after = await results(client, { query: '{ __typename }' })
    await events.return()
    return { first, invalid, unsound, missing, after }
  },

  // Of two that follow the same, one leaves.
  async leaving({ url, key, single, workspace, after }) {
    const client = connected({ url, key, single })
    const staying = followed(client, { workspace, after }, ({ live }) => live && say('live'))
    const left = []
    await new Promise((resolve) => {
      const next = ({ data }) => {
        left.push(data.workspaceEvents.__typename)
        if (data.workspaceEvents.live) resolve(leave())
      }
      const leave = client.subscribe({ query: FOLLOW, variables: { workspace, after } }, { next, error: say, complete: () => {} })
    })
    say('left')
    return { left, stayed: await staying }
  },

  // Whoever runs it gives the key each time that it connects, and says when to come back.
  async follow({ url, single, workspace, after }) {
    const client = connected({
      url,
      single,
      headers: async () => {
        say('which key?')
        return { authorization: `Bearer ${await hear()}` }
      },
      retryAttempts: 5,
      retry: async () => {
        say('may I?')
        await hear()
      },
    })
    await followed(client, { workspace, after }, say)
  },

  // To be told why it ends.
  async watch({ url, key, single, workspace }) {
    const client = connected({ url, key, single })
    for await (const result of client.iterate({ query: FOLLOW, variables: { workspace } })) say(result)
  },

  refused: ({ url, single }) => results(connected({ url, key: 'pmk_none', single }), { query: VIEWER }),

  async documents({ url, key, single, hash, audit }) {
    const client = connected({ url, key, single, lazyCloseTimeout: 500 })
    return Promise.all([
      results(client, { documentId: 'viewer' }),
      results(client, { extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }),
      results(client, { documentId: 'watch', variables: { audit } }),
      results(client, { documentId: 'nothing' }),
    ])
  },
})
