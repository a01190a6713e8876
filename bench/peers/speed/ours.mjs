// Mercurius with its JIT over Pacemark's own statements, which the file PACEMARK_STATEMENTS has (bench/statements.py).
import { readFileSync } from 'node:fs'

import { decode, uuid } from './ids.mjs'
import * as mercurius from './mercurius.mjs'
import { connection, pool } from './store.mjs'

// Only what is shown is made from PostgreSQL's text.
const AS_TEXT = { getTypeParser: () => (text) => text }
const number = (text) => text === null ? null : Number(text)
const milliseconds = (text) => text.slice(20, -3).padEnd(3, '0').slice(0, 3)
const time = (text) => text === null ? null : `${text.slice(0, 10)}T${text.slice(11, 19)}.${milliseconds(text)}Z`
const id = (kind, text) => `${kind}_${text.replaceAll('-', '')}`
const SITE = (row) => ({ id: id('site', row.id), name: row.name, origin: row.origin })
const PAGE = (row) => ({ id: id('page', row.id), name: row.name, path: row.path, url: row.origin + row.path })
const AUDIT = (row) => ({
  id: id('audit', row.id),
  state: row.state,
  requestedAt: time(row.requested_at),
  finishedAt: time(row.finished_at),
  performanceScore: number(row.performance_score),
  lcpMs: number(row.lcp_ms),
  fcpMs: number(row.fcp_ms),
  tbtMs: number(row.tbt_ms),
  cls: number(row.cls)
})

if (!process.env.PACEMARK_STATEMENTS) throw new Error('PACEMARK_STATEMENTS names no file.')
const statements = JSON.parse(readFileSync(process.env.PACEMARK_STATEMENTS, 'utf8'))

async function read (name, given) {
  const { text, values } = statements[name]
  const all = values.map((each) => each.name ? given[each.name] : each.value)
  return (await pool.query({ name, text, values: all, types: AS_TEXT })).rows
}

async function connections (list, column, shown, owners, first) {
  const parents = owners.map((owner) => uuid(owner.id))
  const found = new Map(parents.map((parent) => [parent, []]))
  const rows = await read(list === 'audits' && parents.length === 1 ? 'auditsOfOne' : list, { parents, parent: parents[0], limit: first + 1 })
  for (const row of rows) found.get(row[column].replaceAll('-', '')).push(shown(row))
  return parents.map((parent) => connection(list, parent, found.get(parent), first))
}

const store = {
  async workspace (slug) {
    const [row] = await read('workspace', { slugs: [slug] })
    return row && { id: id('workspace', row.id), name: row.name }
  },
  site: async (id) => (await read('site', { ids: [decode('site', id)] })).map(SITE)[0],
  page: async (id) => (await read('page', { ids: [decode('page', id)] })).map(PAGE)[0],
  sites: (workspaces, { first }) => connections('sites', 'workspace_id', SITE, workspaces, first),
  pages: (sites, { first }) => connections('pages', 'site_id', PAGE, sites, first),
  workspacePages: (workspaces, { first }) => connections('workspacePages', 'workspace_id', PAGE, workspaces, first),
  audits: (pages, { first }) => connections('audits', 'page_id', AUDIT, pages, first ?? 20),
  async latestAudits (pages) {
    const keys = pages.map((page) => uuid(page.id))
    const rows = await read('latestAudits', { pages: keys })
    const found = new Map(rows.map((row) => [row.page_id.replaceAll('-', ''), AUDIT(row)]))
    return keys.map((key) => found.get(key) ?? null)
  }
}

export const serve = () => mercurius.serve({ jit: 1, store })
