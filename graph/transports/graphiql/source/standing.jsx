// Who is asking: a key, which goes before all else, a person by their cookies, or nobody.
import { useEffect, useState, useSyncExternalStore } from 'react'
import { isKeyAccepted } from './fetcher.js'
import { describeKey } from './key.js'
import { look, onPerson, readPerson, signOut } from './session.js'

export function Standing({ apiKey, onForget }) {
  const keyStanding = useKeyStanding(apiKey)
  const person = usePerson(!apiKey)
  const [standing, text] = apiKey ? ofKey(keyStanding, describeKey(apiKey)) : ofPerson(person)
  return (
    <>
      <span className="bar-standing" data-standing={standing} role="status">
        {text}
      </span>
      {apiKey && (
        <button type="button" onClick={onForget}>
          Forget
        </button>
      )}
      {!apiKey && person && <SignOut />}
      {!apiKey && person === null && <a href="/auth/sign-in?to=/graphql">Sign in</a>}
    </>
  )
}

function ofKey(standing, it) {
  const texts = {
    unknown: `With ${it}`,
    accepted: `Signed in with ${it}`,
    refused: `Not signed in: ${it} was refused`,
  }
  return [standing, texts[standing]]
}

function ofPerson(person) {
  if (person === undefined) return ['unknown', 'Asking who you are…']
  return person === null ? ['none', 'Not signed in'] : ['accepted', `Signed in as ${person}`]
}

/** `unknown` (not answered yet, or no server), `accepted` or `refused`. */
function useKeyStanding(apiKey) {
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
  return answer.apiKey === apiKey ? answer.standing : 'unknown'
}

/** Asked again by whoever comes back to this page: they may have signed in or out on another. */
function usePerson(isAsked) {
  const person = useSyncExternalStore(onPerson, readPerson)
  useEffect(() => {
    if (!isAsked) return undefined
    const ask = () => document.hidden || look().catch(() => {})
    ask()
    document.addEventListener('visibilitychange', ask)
    return () => document.removeEventListener('visibilitychange', ask)
  }, [isAsked])
  return person
}

function SignOut() {
  const [failed, setFailed] = useState(false)
  const leave = async () => {
    setFailed(false)
    setFailed(!(await signOut().catch(() => false)))
  }
  return (
    <>
      <button type="button" onClick={leave}>
        Sign out
      </button>
      {failed && (
        <span className="bar-invalid" role="alert">
          You are signed in still: try again in a moment.
        </span>
      )}
    </>
  )
}
