// The bar above GraphiQL: who is asking, what could be asked, and how subscriptions travel.
import { useEffect, useState } from 'react'
import { isKeyAccepted } from './fetcher.js'
import { describeKey } from './key.js'
import { ExamplesMenu } from './menu.jsx'
import { TRANSPORTS } from './subscriptions.js'

export function Bar({ apiKey, onKey, onForget, examples, transport, onTransport }) {
  return (
    <header className="bar">
      <strong className="bar-name">Pacemark</strong>
      <SignedIn apiKey={apiKey} />
      {apiKey && (
        <button type="button" onClick={onForget}>
          Forget
        </button>
      )}
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

function SignedIn({ apiKey }) {
  const standing = useStanding(apiKey)
  const it = apiKey && describeKey(apiKey)
  const text = {
    none: 'Not signed in',
    unknown: `With ${it}`,
    accepted: `Signed in with ${it}`,
    refused: `Not signed in: ${it} was refused`,
  }[standing]
  return (
    <span className="bar-standing" data-standing={standing} role="status">
      {text}
    </span>
  )
}

/** `none`, `unknown` (not answered yet, or no server), `accepted` or `refused`. */
function useStanding(apiKey) {
  const [answer, setAnswer] = useState({ apiKey: null, standing: 'unknown' })
  useEffect(() => {
    if (!apiKey) return undefined
    const request = new AbortController()
    isKeyAccepted(apiKey, request.signal).then(
      (accepted) => setAnswer({ apiKey, standing: accepted ? 'accepted' : 'refused' }),
      () => {}, // the answer pane tells that the server is away
    )
    return () => request.abort()
  }, [apiKey])
  if (!apiKey) return 'none'
  return answer.apiKey === apiKey ? answer.standing : 'unknown'
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
