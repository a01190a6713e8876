// Mercurius on Fastify with its own loaders, with or without its JIT.
import Fastify from 'fastify'
import mercurius from 'mercurius'

import { typeDefs } from './schema.mjs'
import * as tables from './store.mjs'

// Parents that give the same arguments share a statement.
const by = (batch) => async (queries) => {
  const groups = new Map()
  queries.forEach(({ obj, params }, place) => {
    const given = Object.values(params).join()
    const group = groups.get(given) ?? { params, parents: [], places: [] }
    group.parents.push(obj)
    group.places.push(place)
    groups.set(given, group)
  })
  const found = new Array(queries.length)
  await Promise.all([...groups.values()].map(async ({ params, parents, places }) => {
    const values = await batch(parents, params)
    places.forEach((place, index) => { found[place] = values[index] })
  }))
  return found
}

const resolvers = (store) => ({
  Query: {
    workspace: (_, { slug }) => store.workspace(slug),
    site: (_, { id }) => store.site(id),
    page: (_, { id }) => store.page(id)
  },
  Audit: { metrics: (audit) => audit }
})

const loaders = (store) => ({
  Workspace: { sites: by(store.sites), pages: by(store.workspacePages) },
  Site: { pages: by(store.pages) },
  Page: { audits: by(store.audits), latestAudit: by(store.latestAudits) }
})

export async function serve ({ jit = 0, store = tables } = {}) {
  const app = Fastify()
  app.register(mercurius, { schema: typeDefs, resolvers: resolvers(store), loaders: loaders(store), jit })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return `http://127.0.0.1:${app.server.address().port}/graphql`
}
