// Apollo Server as its README has it: with Express, which it recommends for production, or standalone when told so.
import http from 'node:http'

import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer'
import { startStandaloneServer } from '@apollo/server/standalone'
import { expressMiddleware } from '@as-integrations/express5'
import cors from 'cors'
import express from 'express'

const given = { typeDefs: 'type Query { hello: String! }', resolvers: { Query: { hello: () => 'world' } } }

if (process.argv[2] === 'standalone') {
  const { url } = await startStandaloneServer(new ApolloServer(given), { listen: { host: '127.0.0.1', port: 0 } })
  console.log(`ready ${url}`)
} else {
  const app = express()
  const httpServer = http.createServer(app)
  const server = new ApolloServer({ ...given, plugins: [ApolloServerPluginDrainHttpServer({ httpServer })] })
  await server.start()
  app.use('/graphql', cors(), express.json(), expressMiddleware(server))
  httpServer.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${httpServer.address().port}/graphql`))
}
