// The bar above GraphiQL: who is asking, what could be asked, and how subscriptions travel.
import { useState } from 'react'
import { ExamplesMenu } from './menu.jsx'
import { Standing } from './standing.jsx'
import { TRANSPORTS } from './subscriptions.js'

export function Bar({ apiKey, onKey, onForget, examples, transport, onTransport }) {
  return (
    <header className="bar">
      <strong className="bar-name">Pacemark</strong>
      <Standing apiKey={apiKey} onForget={onForget} />
      <KeyForm signedIn={Boolean(apiKey)} onKey={onKey} />
      <span className="bar-operations">
        <ExamplesMenu examples={examples} />
        <label className="bar-transport">
          Subscriptions over{' '}
          <select value={transport} onChange={(event) => onTransport(event.target.value)}>
            {Object.entries(TRANSPORTS).map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </span>
    </header>
  )
}

function KeyForm({ signedIn, onKey }) {
  const [text, setText] = useState('')
  const [invalid, setInvalid] = useState(false)
  const submit = (event) => {
    event.preventDefault()
    const kept = onKey(text)
    setInvalid(!kept)
    if (kept) setText('')
  }
  return (
    <form className="bar-key" onSubmit={submit}>
      <input
        type="password"
        autoComplete="off"
        aria-label="API key or token"
        aria-invalid={invalid}
        placeholder={signedIn ? 'Paste another key or token' : 'Paste an API key or token'}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setInvalid(false)
        }}
      />
      <button type="submit" disabled={!text}>
        Use
      </button>
      {invalid && (
        <span className="bar-invalid" role="alert">
          That is neither a key nor a token.
        </span>
      )}
    </form>
  )
}
