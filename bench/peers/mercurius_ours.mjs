// A control: Mercurius with its JIT over Pacemark's own statements, which PACEMARK_STATEMENTS has as JSON, over DATABASE_URL.
import { readFileSync } from 'node:fs'

import Fastify from 'fastify'
import mercurius from 'mercurius'
import pg from 'pg'

import { cursor, decode } from './speed/ids.mjs'
import { typeDefs } from './speed/schema.mjs'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const statements = JSON.parse(readFileSync(process.env.PACEMARK_STATEMENTS, 'utf8'))

async function read (name, given) {
  const { text, values } = statements[name]
  return (await pool.query({ name, text, values: values.map((each) => each.name ? given[each.name] : each.value) })).rows
}

const hex = (id) => id.replaceAll('-', '')
const SHOWN = {
  workspace: (row) => ({ key: row.id, id: `workspace_${hex(row.id)}`, name: row.name }),
  site: (row) => ({ key: row.id, id: `site_${hex(row.id)}`, name: row.name, origin: row.origin }),
  page: (row) => ({ key: row.id, id: `page_${hex(row.id)}`, name: row.name, path: row.path, url: row.origin + row.path }),
  audit: (row) => ({
    id: `audit_${hex(row.id)}`,
    state: row.state,
    requestedAt: row.requested_at.toISOString(),
    finishedAt: row.finished_at?.toISOString(),
    metrics: {
      performanceScore: row.performance_score,
      lcpMs: row.lcp_ms,
      fcpMs: row.fcp_ms,
      tbtMs: row.tbt_ms,
      cls: row.cls
    }
  })
}

const one = async (kind, given) => {
  const [row] = await read(kind, given)
  return row && SHOWN[kind](row)
}

// The first rows of a list under each parent; parents that want as many share a statement.
const list = (kind, parent, statement, name, keys) => async (asked) => {
  const found = new Array(asked.length)
  await Promise.all([...new Set(asked.map(({ params }) => params.first ?? 20))].map(async (first) => {
    const parents = asked.filter(({ params }) => (params.first ?? 20) === first).map(({ obj }) => obj.key)
    const under = new Map(parents.map((key) => [key, []]))
    for (const row of await read(statement(parents), { parents, limit: first + 1 })) under.get(row[parent]).push(row)
    asked.forEach(({ obj, params }, place) => {
      if ((params.first ?? 20) !== first) return
      const rows = under.get(obj.key)
      const shown = rows.slice(0, first)
      const last = shown.at(-1)
      const endCursor = last ? cursor(name, hex(obj.key), ...keys.map((key) => last[key]), hex(last.id)) : null
      found[place] = { nodes: shown.map(SHOWN[kind]), pageInfo: { hasNextPage: rows.length > first, endCursor } }
    })
  }))
  return found
}

const loaders = {
  Workspace: {
    sites: list('site', 'workspace_id', () => 'sites', 'sites', ['name']),
    pages: list('page', 'workspace_id', () => 'workspacePages', 'workspacePages', ['name'])
  },
  Site: { pages: list('page', 'site_id', () => 'pages', 'pages', ['path']) },
  Page: {
    audits: list('audit', 'page_id', ({ length }) => length === 1 ? 'auditsOfOne' : 'audits', 'audits', []),
    async latestAudit (asked) {
      const rows = await read('latestAudits', { pages: asked.map(({ obj }) => obj.key) })
      const found = new Map(rows.map((row) => [row.page_id, SHOWN.audit(row)]))
      return asked.map(({ obj }) => found.get(obj.key) ?? null)
    }
  }
}

const resolvers = {
  Query: {
    workspace: (_, { slug }) => one('workspace', { slugs: [slug] }),
    site: (_, { id }) => one('site', { ids: [decode('site', id)] }),
    page: (_, { id }) => one('page', { ids: [decode('page', id)] })
  }
}

const app = Fastify()
app.register(mercurius, { schema: typeDefs, resolvers, loaders, jit: 1 })
await app.listen({ host: '127.0.0.1', port: 0 })
console.log(`ready http://127.0.0.1:${app.server.address().port}/graphql`)
