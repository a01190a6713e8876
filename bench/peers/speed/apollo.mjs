// Apollo Server standalone, which is faster than with Express. No answer is kept, so that nobody counts for how long it may be.
import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled'
import { startStandaloneServer } from '@apollo/server/standalone'

import { context, resolvers } from './loaders.mjs'
import { typeDefs } from './schema.mjs'

export async function serve () {
  const plugins = [ApolloServerPluginCacheControlDisabled()]
  const server = new ApolloServer({ typeDefs, resolvers, plugins, introspection: true, cache: 'bounded' })
  const { url } = await startStandaloneServer(server, { context, listen: { host: '127.0.0.1', port: 0 } })
  return new URL('/graphql', url)
}
