// Mercurius on Fastify, which compiles an operation when it comes a second time.
import Fastify from 'fastify'
import mercurius from 'mercurius'

const app = Fastify()
app.register(mercurius, {
  schema: 'type Query { hello: String! }',
  resolvers: { Query: { hello: () => 'world' } },
  jit: 1
})
await app.listen({ host: '127.0.0.1', port: 0 })
console.log(`ready http://127.0.0.1:${app.server.address().port}/graphql`)
