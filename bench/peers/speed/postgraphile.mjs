// PostGraphile's engine over the same schema: Grafast's plans, with the steps of @dataplan/pg, served by Grafserv.
import http from 'node:http'

import { makePgResourceOptions, makeRegistry, makeRegistryBuilder, PgExecutor, recordCodec, sql, TYPES } from '@dataplan/pg'
import { makePgAdaptorWithPgClient } from '@dataplan/pg/adaptors/pg'
import { connection, constant, context, lambda, list, makeGrafastSchema, object } from 'grafast'
import { grafserv } from 'grafserv/node'
import pg from 'pg'

import { cursor, decode, uuid } from './ids.mjs'
import { typeDefs } from './schema.mjs'

// Its code asks for Node 22, for this one function.
Promise.withResolvers ??= function () {
  const made = {}
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}

const executor = new PgExecutor({
  name: 'main',
  context: () => object({ withPgClient: context().get('withPgClient'), pgSettings: context().get('pgSettings') })
})

const id = (kind) => ({
  ...TYPES.uuid,
  name: `${kind}Id`,
  castFromPg: (column) => sql`(${sql.literal(`${kind}_`)} || replace(${column}::text, '-', ''))`,
  toPg: uuid
})
const time = {
  ...TYPES.timestamptz,
  name: 'time',
  castFromPg: (column) => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
  fromPg: (text) => text
}
const [workspaceId, siteId, pageId, auditId] = ['workspace', 'site', 'page', 'audit'].map(id)
const { text, float, uuid: profileId } = TYPES

function table (name, codecs) {
  const attributes = Object.fromEntries(Object.entries(codecs).map(([name, codec]) => [name, { codec }]))
  const codec = recordCodec({ executor, name, identifier: sql.identifier(name), attributes })
  const uniques = [{ attributes: ['id'], isPrimary: true }]
  return makePgResourceOptions({ executor, name, from: codec.sqlType, codec, uniques })
}
const described = {
  workspaces: table('workspaces', { id: workspaceId, slug: text, name: text }),
  sites: table('sites', { id: siteId, workspace_id: workspaceId, default_profile_id: profileId, name: text, origin: text }),
  pages: table('pages', { id: pageId, workspace_id: workspaceId, site_id: siteId, name: text, path: text }),
  audits: table('audits', {
    id: auditId, page_id: pageId, profile_id: profileId, environment: text, state: text, requested_at: time, finished_at: time,
    performance_score: float, lcp_ms: float, fcp_ms: float, tbt_ms: float, cls: float
  })
}
const builder = makeRegistryBuilder()
for (const resource of Object.values(described)) builder.addResource(resource)
builder.addRelation(described.pages.codec, 'site', described.sites, {
  localAttributes: ['site_id'], remoteAttributes: ['id'], isUnique: true
})
const { workspaces, sites, pages, audits } = makeRegistry(builder.getRegistryConfig()).pgResources

// The rows under a parent in the order of their keys, with the cursors that the API has.
function connected (name, $rows, $parent, $first, keys, direction = 'ASC') {
  for (const attribute of keys) $rows.orderBy({ attribute, direction })
  $rows.setOrderIsUnique()
  $rows.cursorForItem = ($item) => {
    const $row = $rows.listItem($item)
    return lambda(list([$parent, ...keys.map((key) => $row.get(key))]), ([parent, ...values]) =>
      values.includes(null) ? null : cursor(name, uuid(parent), ...values.slice(0, -1), uuid(values.at(-1))), true)
  }
  const $connection = connection($rows)
  $connection.setFirst($first)
  return $connection
}
const decoded = (kind, $id) => lambda($id, (id) => `${kind}_${decode(kind, id)}`)
const read = (attribute) => ($row) => $row.get(attribute)

const objects = {
  Query: {
    plans: {
      workspace: (_, { $slug }) => workspaces.find({ slug: $slug }).single(),
      site: (_, { $id }) => sites.get({ id: decoded('site', $id) }),
      page: (_, { $id }) => pages.get({ id: decoded('page', $id) })
    }
  },
  Workspace: {
    plans: {
      sites ($workspace, { $first }) {
        const $id = $workspace.get('id')
        return connected('sites', sites.find({ workspace_id: $id }), $id, $first, ['name', 'id'])
      },
      pages ($workspace, { $first }) {
        const $id = $workspace.get('id')
        return connected('workspacePages', pages.find({ workspace_id: $id }), $id, $first, ['name', 'id'])
      }
    }
  },
  Site: {
    plans: {
      pages ($site, { $first }) {
        const $id = $site.get('id')
        return connected('pages', pages.find({ site_id: $id }), $id, $first, ['path', 'id'])
      }
    }
  },
  Page: {
    plans: {
      url: ($page) =>
        lambda([$page.singleRelation('site').get('origin'), $page.get('path')], ([origin, path]) => origin + path, true),
      audits ($page, { $first }) {
        const $id = $page.get('id')
        const $most = lambda($first, (first) => first ?? 20, true)
        return connected('audits', audits.find({ page_id: $id }), $id, $most, ['id'], 'DESC')
      },
      latestAudit ($page, { $environment }) {
        const $profile = $page.singleRelation('site').get('default_profile_id')
        const $audits = audits.find({ page_id: $page.get('id'), profile_id: $profile, environment: $environment })
        $audits.where(sql`${$audits.alias}.state = 'FINISHED'`)
        for (const attribute of ['finished_at', 'id']) $audits.orderBy({ attribute, direction: 'DESC' })
        $audits.setFirst(constant(1))
        return $audits.single()
      }
    }
  },
  Audit: {
    plans: {
      requestedAt: read('requested_at'),
      finishedAt: read('finished_at'),
      metrics: ($audit) => $audit
    }
  },
  AuditMetrics: {
    plans: {
      performanceScore: read('performance_score'), lcpMs: read('lcp_ms'), fcpMs: read('fcp_ms'), tbtMs: read('tbt_ms')
    }
  }
}

export async function serve () {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
  const given = { withPgClient: makePgAdaptorWithPgClient(pool), pgSettings: null }
  const server = http.createServer()
  const preset = { grafserv: { graphiql: false, outputDataAsString: true }, grafast: { context: () => given } }
  await grafserv({ schema: makeGrafastSchema({ typeDefs, objects }), preset }).addTo(server)
  await new Promise((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  return `http://127.0.0.1:${server.address().port}/graphql`
}
