import { defineConfig } from 'vite'
import { examples } from './gathering.js'
import { licences } from './licences.js'

const { main, worker } = licences('THIRD_PARTY_LICENSES.txt')

export default defineConfig({
  base: '/graphiql/',
  plugins: [main, examples('../../../../docs/examples', 'examples.json')],
  worker: { plugins: () => [worker] },
  build: {
    outDir: '../static',
    emptyOutDir: true,
    // Everything but what the libraries inline themselves is a file of its own, for a strict content policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000,
    // "use client" speaks to servers that render React.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
})
