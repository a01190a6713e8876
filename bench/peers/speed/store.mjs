// Pacemark's tables, read with one prepared statement a level: what comes is named and written as the API has it.
import pg from 'pg'

import { cursor, decode, uuid } from './ids.mjs'

const id = (kind, column) => `'${kind}_' || replace(${column}::text, '-', '')`
const time = (column) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
const SITE = `${id('site', 's.id')} AS id, s.name, s.origin`
const PAGE = `${id('page', 'p.id')} AS id, p.name, p.path, p.origin || p.path AS url`
const AUDIT = `${id('audit', 'a.id')} AS id, a.state,
  ${time('a.requested_at')} AS "requestedAt", ${time('a.finished_at')} AS "finishedAt",
  a.performance_score AS "performanceScore", a.lcp_ms AS "lcpMs", a.fcp_ms AS "fcpMs", a.tbt_ms AS "tbtMs", a.cls`
const AUDITS = `SELECT a.id, a.state, a.requested_at, a.finished_at, a.performance_score, a.lcp_ms, a.fcp_ms, a.tbt_ms, a.cls
  FROM audits a`
const PAGES = 'SELECT p.id, p.name, p.path, s.origin FROM pages p JOIN sites s ON s.id = p.site_id'

// The rows of each parent of $1, beside its place there.
const under = (parents) => `k.n::int - 1 AS place FROM unnest($1::uuid[]) WITH ORDINALITY AS k (${parents}, n)`

const STATEMENTS = {
  workspace: `SELECT ${id('workspace', 'id')} AS id, name FROM workspaces WHERE slug = $1`,
  page: `SELECT ${PAGE} FROM (${PAGES} WHERE p.id = $1) p`,
  site: `SELECT ${SITE} FROM sites s WHERE s.id = $1`,
  sites: `SELECT ${SITE}, ${under('workspace_id')} CROSS JOIN LATERAL (
    SELECT s.id, s.name, s.origin FROM sites s WHERE s.workspace_id = k.workspace_id ORDER BY s.name, s.id LIMIT $2) s`,
  pages: `SELECT ${PAGE}, ${under('site_id')} CROSS JOIN LATERAL (
    ${PAGES} WHERE p.site_id = k.site_id ORDER BY p.path, p.id LIMIT $2) p`,
  workspacePages: `SELECT ${PAGE}, ${under('workspace_id')} CROSS JOIN LATERAL (
    ${PAGES} WHERE p.workspace_id = k.workspace_id ORDER BY p.name, p.id LIMIT $2) p`,
  audits: `SELECT ${AUDIT}, ${under('page_id')} CROSS JOIN LATERAL (
    ${AUDITS} WHERE a.page_id = k.page_id ORDER BY a.id DESC LIMIT $2) a`,
  latestAudits: `SELECT ${AUDIT}, ${under('page_id')}
    JOIN pages p ON p.id = k.page_id JOIN sites s ON s.id = p.site_id CROSS JOIN LATERAL (
      ${AUDITS} WHERE a.page_id = p.id AND a.profile_id = coalesce($2, s.default_profile_id)
      AND a.environment = $3 AND a.state = 'FINISHED' ORDER BY a.finished_at DESC, a.id DESC LIMIT 1) a`
}

const KEYS = {
  sites: (site) => [site.name, uuid(site.id)],
  pages: (page) => [page.path, uuid(page.id)],
  workspacePages: (page) => [page.name, uuid(page.id)],
  audits: (audit) => [uuid(audit.id)]
}

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10, options: '-c TimeZone=UTC' })

async function read (name, ...values) {
  const { rows } = await pool.query({ name, text: STATEMENTS[name], values })
  return rows
}

// What is shown of nodes of which there may be one more than `first`.
export function connection (list, parent, nodes, first) {
  const hasNextPage = nodes.length > first
  if (hasNextPage) nodes.pop()
  const last = nodes.at(-1)
  return { nodes, pageInfo: { hasNextPage, endCursor: last ? cursor(list, parent, ...KEYS[list](last)) : null } }
}

async function connections (list, parents, first) {
  const keys = parents.map((parent) => uuid(parent.id))
  const found = keys.map(() => [])
  for (const row of await read(list, keys, first + 1)) found[row.place].push(row)
  return found.map((nodes, place) => connection(list, keys[place], nodes, first))
}

export const workspace = async (slug) => (await read('workspace', slug))[0]
export const site = async (id) => (await read('site', decode('site', id)))[0]
export const page = async (id) => (await read('page', decode('page', id)))[0]
export const sites = (workspaces, { first }) => connections('sites', workspaces, first)
export const pages = (sites, { first }) => connections('pages', sites, first)
export const workspacePages = (workspaces, { first }) => connections('workspacePages', workspaces, first)
export const audits = (pages, { first }) => connections('audits', pages, first ?? 20)

export async function latestAudits (pages, { profile, environment }) {
  const found = pages.map(() => null)
  const keys = pages.map((page) => uuid(page.id))
  for (const row of await read('latestAudits', keys, profile && decode('profile', profile), environment)) found[row.place] = row
  return found
}
