// The bar above GraphiQL: who is asking, and how subscriptions travel.
import { useEffect, useState } from 'react'
import { isKeyAccepted } from './fetcher.js'
import { maskKey } from './key.js'

export function Bar({ apiKey, onKey, onForget, transport, onTransport }) {
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
      <label className="bar-transport">
        Subscriptions over{' '}
        <select value={transport} onChange={(event) => onTransport(event.target.value)}>
          <option value="websocket">WebSocket</option>
          <option value="sse">Server-sent events</option>
        </select>
      </label>
    </header>
  )
}

function SignedIn({ apiKey }) {
  const standing = useStanding(apiKey)
  const text = {
    none: 'Not signed in',
    unknown: `Key ${apiKey && maskKey(apiKey)}`,
    accepted: `Signed in with key ${apiKey && maskKey(apiKey)}`,
    refused: `Not signed in: key ${apiKey && maskKey(apiKey)} was refused`,
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
        aria-label="API key"
        aria-invalid={invalid}
        placeholder={signedIn ? 'Paste another key' : 'Paste an API key'}
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
          That is not a key.
        </span>
      )}
    </form>
  )
}
