// Relay's runtime with what its compiler wrote: https://relay.dev/docs/guides/persisted-queries
import { pathToFileURL } from 'node:url'
import { createClient } from 'graphql-ws'
import relay from 'relay-runtime'
import { play } from './lines.mjs'
import WebSocket from './sockets.mjs'

const { Environment, Network, Observable, RecordSource, Store, commitMutation, fetchQuery, requestSubscription } = relay

// Only ids are sent; the compiler left no texts.
const connected = ({ url, key, sent }) => {
  const authorization = `Bearer ${key}`
  const sockets = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization } })
  const ask = async ({ id, text }, variables) => {
    sent.push([id, text])
    const headers = { authorization, 'content-type': 'application/json', accept: 'application/graphql-response+json' }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ documentId: id, variables }) })
    return response.json()
  }
  const follow = ({ id, text }, variables) => {
    sent.push([id, text])
    return Observable.create((sink) => sockets.subscribe({ query: '', documentId: id, variables }, sink))
  }
  return new Environment({ network: Network.create(ask, follow), store: new Store(new RecordSource()) })
}

await play({
  async operations({ url, key, folder, wish }) {
    const artifact = async (name) => (await import(pathToFileURL(`${folder}/Operations${name}.graphql.js`))).default
    const sent = []
    const environment = connected({ url, key, sent })
    const viewer = await fetchQuery(environment, await artifact('ViewerQuery'), {}).toPromise()
    const mutation = await artifact('AskMutation')
    const payload = await new Promise((onCompleted, onError) =>
      commitMutation(environment, { mutation, variables: { input: wish }, onCompleted, onError }),
    )
    const subscription = await artifact('WatchSubscription')
    const variables = { audit: payload.auditRequest.audit.id }
    const progress = []
    await new Promise((onCompleted, onError) =>
      requestSubscription(environment, { subscription, variables, onNext: (data) => progress.push({ data }), onCompleted, onError }),
    )
    return { viewer: { data: viewer }, payload: { data: payload }, progress, sent }
  },
})
