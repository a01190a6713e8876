// Pacemark's GraphiQL: GraphiQL itself, with a bar above it for the key, the examples and the subscriptions' transport.
import 'graphiql/setup-workers/vite'
// Not graphiql/style.css: it repeats Monaco's styles and inlines web fonts.
import '@graphiql/react/style.css'
import '@graphiql/plugin-doc-explorer/style.css'
import '@graphiql/plugin-history/style.css'
import 'graphiql/graphiql.css'
import './page.css'
import './narrow.css'
import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from '@graphiql/plugin-doc-explorer'
import { HISTORY_PLUGIN, HistoryStore } from '@graphiql/plugin-history'
import { GraphiQLProvider } from '@graphiql/react'
import { GraphiQLInterface } from 'graphiql'
import { useEffect, useMemo, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { Bar } from './bar.jsx'
import { readExamples } from './examples.js'
import { createFetcher } from './fetcher.js'
import { forgetKey, keepKey, readKey, takeKeyFromAddress } from './key.js'
import { Notice } from './notice.jsx'
import { starters } from './starters.js'
import { storage } from './storage.js'
import { keepTransport, readTransport } from './subscriptions.js'

const PLUGINS = [DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN]

function Page({ examples, tabs }) {
  const [key, setKey] = useState(readKey)
  const [transport, setTransport] = useState(readTransport)
  const currentTransport = useRef(transport)
  currentTransport.current = transport
  // A new fetcher makes GraphiQL read the schema again: wanted for another key, not for another transport.
  const fetcher = useMemo(() => createFetcher(key, () => currentTransport.current), [key])

  useEffect(() => {
    const take = () => {
      takeKeyFromAddress()
      setKey(readKey())
    }
    addEventListener('hashchange', take)
    return () => removeEventListener('hashchange', take)
  }, [])

  const keep = (text) => {
    const kept = keepKey(text)
    if (kept) setKey(readKey())
    return kept
  }
  const forget = () => {
    forgetKey()
    setKey(null)
  }
  const choose = (chosen) => {
    keepTransport(chosen)
    setTransport(chosen)
  }
  return (
    <GraphiQLProvider
      fetcher={fetcher}
      storage={storage}
      defaultTabs={tabs}
      shouldPersistHeaders={false}
      plugins={PLUGINS}
      referencePlugin={DOC_EXPLORER_PLUGIN}
    >
      <HistoryStore>
        <DocExplorerStore>
          <Bar
            apiKey={key}
            onKey={keep}
            onForget={forget}
            examples={examples}
            transport={transport}
            onTransport={choose}
          />
          <Notice signedIn={Boolean(key)} />
          <main className="page-graphiql">
            <GraphiQLInterface defaultEditorToolsVisibility="variables" showPersistHeadersSettings={false} />
          </main>
        </DocExplorerStore>
      </HistoryStore>
    </GraphiQLProvider>
  )
}

takeKeyFromAddress()
const examples = await readExamples()
createRoot(document.getElementById('root')).render(<Page examples={examples} tabs={starters(examples)} />)
