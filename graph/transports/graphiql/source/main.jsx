// Pacemark's GraphiQL: GraphiQL itself, with a bar above it for the API key and the subscriptions' transport.
import 'graphiql/setup-workers/vite'
// Not graphiql/style.css: it repeats Monaco's styles and inlines web fonts.
import '@graphiql/react/style.css'
import '@graphiql/plugin-doc-explorer/style.css'
import '@graphiql/plugin-history/style.css'
import 'graphiql/graphiql.css'
import './page.css'
import { GraphiQL } from 'graphiql'
import { useEffect, useMemo, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { Bar } from './bar.jsx'
import { createFetcher } from './fetcher.js'
import { forgetKey, keepKey, readKey, takeKeyFromAddress } from './key.js'
import { starters } from './starters.js'

function Page() {
  const [key, setKey] = useState(readKey)
  const [transport, setTransport] = useState('websocket')
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
  return (
    <>
      <Bar apiKey={key} onKey={keep} onForget={forget} transport={transport} onTransport={setTransport} />
      <main className="page-graphiql">
        <GraphiQL
          fetcher={fetcher}
          defaultTabs={starters}
          defaultEditorToolsVisibility="variables"
          shouldPersistHeaders={false}
        />
      </main>
    </>
  )
}

takeKeyFromAddress()
createRoot(document.getElementById('root')).render(<Page />)
