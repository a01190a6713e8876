// A server with graphql-ws and ws as their README has it, which tells its subscribers in process what happens. As much of
// Pacemark's schema as the benchmark asks for; what lies in a database there lies in a Map here.
import crypto from 'node:crypto'
import http from 'node:http'

import { buildSchema, graphql } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'

const schema = buildSchema(`
  type Query { workspace(slug: String!): Workspace }
  type Workspace { id: ID! }
  type Mutation { auditRequest(input: AuditRequestInput!): AuditRequestResult! }
  input AuditRequestInput { target: AuditTarget! }
  input AuditTarget { url: String! }
  union AuditRequestResult = AuditRequestPayload | InvalidInput
  type AuditRequestPayload { audit: Audit! }
  type InvalidInput { message: String! }
  type Page { id: ID! url: String! }
  enum AuditState { QUEUED RUNNING FINISHED FAILED CANCELLED }
  enum EventKind { AUDIT_REQUESTED AUDIT_STARTED AUDIT_FINISHED }
  enum Phase { QUEUED STARTING LOADING }
  type Audit { id: ID! state: AuditState! page: Page! }
  interface WorkspaceEvent { cursor: String! at: String! }
  type Checkpoint implements WorkspaceEvent { cursor: String! at: String! live: Boolean! }
  type AuditEvent implements WorkspaceEvent {
    cursor: String! at: String! kind: EventKind! state: AuditState! phase: Phase! run: Int audit: Audit
  }
  type Subscription { workspaceEvents(workspace: ID!): WorkspaceEvent! }
`)

const audits = new Map()
const listeners = new Set()
let sequence = 0

const id = (kind) => `${kind}_${crypto.randomUUID().replaceAll('-', '')}`
const cursor = () => Buffer.from(`019ab0000000700080000000:${String(sequence).padStart(16, '0')}`).toString('base64url')
const pause = () => new Promise((resolve) => setImmediate(resolve))

async function * workspaceEvents () {
  const waiting = []
  let wake = () => {}
  const listener = (event) => {
    waiting.push(event)
    wake()
  }
  listeners.add(listener)
  try {
    yield { workspaceEvents: { __typename: 'Checkpoint', cursor: cursor(), at: new Date().toISOString(), live: true } }
    while (true) {
      while (waiting.length) yield { workspaceEvents: waiting.shift() }
      await new Promise((resolve) => { wake = resolve })
    }
  } finally {
    listeners.delete(listener)
  }
}

async function auditRequest ({ input }) {
  const audit = { id: id('audit'), state: 'QUEUED', page: { id: id('page'), url: input.target.url } }
  audits.set(audit.id, audit)
  sequence += 1
  const event = {
    __typename: 'AuditEvent',
    cursor: cursor(),
    at: new Date().toISOString(),
    kind: 'AUDIT_REQUESTED',
    state: 'QUEUED',
    phase: 'QUEUED',
    run: null,
    audit: async () => audits.get(audit.id)
  }
  // After the answer, as an event is told when its work is committed.
  pause().then(() => { for (const listener of listeners) listener(event) })
  return { __typename: 'AuditRequestPayload', audit }
}

const roots = { query: { workspace: () => ({ id: 'workspace_default' }) }, mutation: { auditRequest }, subscription: { workspaceEvents } }

const server = http.createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const { query, variables } = JSON.parse(Buffer.concat(chunks))
  const rootValue = { ...roots.query, ...roots.mutation }
  const said = JSON.stringify(await graphql({ schema, source: query, variableValues: variables, rootValue }))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(said) }).end(said)
})
useServer({ schema, roots }, new WebSocketServer({ server, path: '/graphql' }))
server.listen({ host: '127.0.0.1', port: 0, backlog: 2048 }, () => console.log(`ready http://127.0.0.1:${server.address().port}/graphql`))
