// Runs the GraphQL over HTTP audits against a server, and prints each as JSON: id, name, status, reason.
//
//   node audits.mjs http://127.0.0.1:8000/graphql
import { auditServer } from 'graphql-http'

const found = await auditServer({ url: process.argv[2] })
const audits = await Promise.all(
  found.map(async (each) => ({ id: each.id, name: each.name, status: each.status, reason: each.reason ?? null })),
)
console.log(JSON.stringify(audits))
