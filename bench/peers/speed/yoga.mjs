// GraphQL Yoga on Node's own HTTP server, as its documentation has it.
import http from 'node:http'

import { createSchema, createYoga } from 'graphql-yoga'

import { context, resolvers } from './loaders.mjs'
import { typeDefs } from './schema.mjs'

export async function serve () {
  const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), context, graphiql: false, landingPage: false })
  const server = http.createServer(yoga)
  await new Promise((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  return `http://127.0.0.1:${server.address().port}/graphql`
}
