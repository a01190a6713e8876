// Who is signed in by the cookies of the pages at /auth. No script can read those: the server says whose they are.
const WHO = JSON.stringify({ query: '{ viewer { user { name } } }' })
const HEADERS = { 'Content-Type': 'application/json' }
const SEEN_MS = 5_000
const RENEWED_MS = 300_000 // half of the life of an access token

const listeners = new Set()
let person // their name, null for nobody; undefined before the server has said
let goodUntil = 0

export const readPerson = () => person

/** Returns what ends it. */
export function onPerson(listener) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function meet(name) {
  person = name
  listeners.forEach((listener) => listener())
}

/** Asks who it is; whose access token has run out gets another. Throws when the server does not say. */
export const look = oneAtOnce(async () => {
  let name = await who()
  if (name === null && person !== null && (await renew())) name = await who()
  goodUntil = Math.max(goodUntil, Date.now() + SEEN_MS)
  meet(name)
})

/** The next access token; whether there is one. */
export const renew = oneAtOnce(async () => {
  const { ok, status } = await fetch('/auth/refresh', { method: 'POST' })
  if (ok) goodUntil = Date.now() + RENEWED_MS
  if (status === 401) meet(null)
  return ok
})

/** Before anything is asked by cookie: one that has run out is not sent, and a stranger would be answered. */
export async function staySignedIn() {
  try {
    if (person === undefined) await look()
    else if (person !== null && Date.now() > goodUntil) await renew()
  } catch {
    // What is asked next says best that the server is away.
  }
}

/** As fetch; what is refused by its cookie is sent again with the next. */
export async function send(url, init) {
  const response = await fetch(url, init)
  const again = response.status === 401 && !init.headers.Authorization && (await renew())
  return again ? fetch(url, init) : response
}

/** Whether they are out; then all that was read for them leaves the page. */
export async function signOut() {
  const { ok } = await fetch('/auth/sign-out', { method: 'POST' })
  if (ok) location.reload()
  return ok
}

async function who() {
  const response = await send('/graphql', { method: 'POST', headers: HEADERS, body: WHO })
  if (response.status === 401) return null
  const { data } = await response.json()
  return data.viewer?.user.name ?? null
}

function oneAtOnce(work) {
  let running = null
  const ended = () => {
    running = null
  }
  return () => (running ??= work().finally(ended))
}
