// Apollo Client: https://www.apollographql.com/docs/react
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { Defer20220824Handler, GraphQL17Alpha9Handler } from '@apollo/client/incremental'
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { generatePersistedQueryIdsFromManifest } from '@apollo/persisted-query-lists'
import { createClient } from 'graphql-ws'
import { play, say } from './lines.mjs'
import { ASK, FOLLOW, VIEWER, WATCH } from './operations.mjs'
import WebSocket from './sockets.mjs'

const DEFERRED = 'query Deferred { viewer { key { name } ... @defer(label: "later") { workspaces { nodes { slug } } } } }'

const connected = ({ url, key, fetches = [], link = (http) => http, ...options }) => {
  const http = new HttpLink({
    uri: url,
    headers: { authorization: `Bearer ${key}` },
    fetch: async (address, init) => {
      const response = await fetch(address, init)
      const [type] = response.headers.get('content-type').split(';')
      const said = init.body ? JSON.parse(init.body) : Object.fromEntries(new URL(address).searchParams)
      fetches.push([init.method, response.status, type, Object.keys(said).sort().join(' ')])
      return response
    },
  })
  return new ApolloClient({
    link: link(http),
    cache: new InMemoryCache(),
    defaultOptions: { query: { fetchPolicy: 'no-cache', errorPolicy: 'all' }, mutate: { errorPolicy: 'all' } },
    ...options,
  })
}

// The client asks for every type's name, and nobody here.
const untyped = (value) => {
  if (Array.isArray(value)) return value.map(untyped)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).flatMap(([name, each]) => (name === '__typename' ? [] : [[name, untyped(each)]])))
}

const result = ({ data, error }) => (error ? { data, errors: error.errors ?? String(error) } : { data: untyped(data) })

const asked = async (client, wish) => {
  const viewer = result(await client.query({ query: gql(VIEWER) }))
  const payload = result(await client.mutate({ mutation: gql(ASK), variables: { input: wish } }))
  const { id: audit } = payload.data.auditRequest.audit
  const progress = []
  await new Promise((complete, error) => {
    const events = client.subscribe({ query: gql(WATCH), variables: { audit } })
    events.subscribe({ next: (each) => progress.push(result(each)), error, complete })
  })
  return { viewer, payload, progress }
}

await play({
  async http({ url, key, wish }) {
    const fetches = []
    const client = connected({ url, key, fetches })
    const invalid = result(await client.query({ query: gql('{ nothing }') }))
    return { ...(await asked(client, wish)), invalid, fetches }
  },

  async sockets({ url, key, wish }) {
    const options = { url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization: `Bearer ${key}` } }
    const link = (http) => ApolloLink.split(({ operationType }) => operationType === 'subscription', new GraphQLWsLink(createClient(options)), http)
    return asked(connected({ url, key, link }), wish)
  },

  // The first client sends its text once, the second never.
  async automatic({ url, key, text, get }) {
    const fetches = []
    const sha256 = async (document) => createHash('sha256').update(document).digest('hex')
    const link = (http) => createPersistedQueryLink({ sha256, useGETForHashedQueries: get }).concat(http)
    const ask = async () => result(await connected({ url, key, fetches, link }).query({ query: gql(text) }))
    return { found: [await ask(), await ask()], fetches }
  },

  async registered({ url, key, manifest, wish }) {
    const fetches = []
    const loadManifest = async () => JSON.parse(readFileSync(manifest))
    const link = (http) => createPersistedQueryLink(generatePersistedQueryIdsFromManifest({ loadManifest })).concat(http)
    return { ...(await asked(connected({ url, key, fetches, link }), wish)), fetches }
  },

  async unregistered({ url, key }) {
    return result(await connected({ url, key }).query({ query: gql(VIEWER) }))
  },

  async deferred({ url, key, current }) {
    const fetches = []
    const incrementalHandler = current ? new GraphQL17Alpha9Handler() : new Defer20220824Handler()
    const client = connected({ url, key, fetches, incrementalHandler })
    const found = []
    await new Promise((resolve) => {
      client.watchQuery({ query: gql(DEFERRED) }).subscribe(({ data, dataState, networkStatus }) => {
        found.push([dataState, untyped(data) ?? null])
        if (dataState === 'complete') resolve()
      })
    })
    return { found, fetches }
  },

  // To be told why it ends.
  async follow({ url, key, workspace }) {
    const events = connected({ url, key }).subscribe({ query: gql(FOLLOW), variables: { workspace } })
    await new Promise((resolve) => events.subscribe((each) => (each.error ? resolve(say([each.error.name, each.error.errors])) : say(untyped(each.data)))))
  },
})
