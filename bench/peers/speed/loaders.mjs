// Resolvers with a dataloader a list and its arguments, made anew for each request.
import DataLoader from 'dataloader'

import * as store from './store.mjs'

class Loaders {
  #made = new Map()

  // Those of `parent` by this batch of the store, with these arguments.
  load (batch, parent, given) {
    const key = `${batch.name} ${JSON.stringify(given)}`
    let loader = this.#made.get(key)
    if (!loader) {
      loader = new DataLoader((parents) => batch(parents, given), { cacheKeyFn: (parent) => parent.id })
      this.#made.set(key, loader)
    }
    return loader.load(parent)
  }
}

export const context = () => ({ loaders: new Loaders() })

const by = (batch) => (parent, given, { loaders }) => loaders.load(batch, parent, given)

export const resolvers = {
  Query: {
    workspace: (_, { slug }) => store.workspace(slug),
    site: (_, { id }) => store.site(id),
    page: (_, { id }) => store.page(id)
  },
  Workspace: { sites: by(store.sites), pages: by(store.workspacePages) },
  Site: { pages: by(store.pages) },
  Page: { audits: by(store.audits), latestAudit: by(store.latestAudits) },
  Audit: { metrics: (audit) => audit }
}
